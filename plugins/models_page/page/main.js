// Which workload is shown, and the theme of the page around this one.
let known = [];
let chosen = null; // one of the known: the tabs, the title and the content are of it, or there is no content yet
let current = null; // the state that is drawn, always of the chosen one
let reading = null; // the newest reading: what an older one brings is not drawn

/** What the buttons belong to that are drawn now. */
const whatIsShown = () => ({ of: chosen, revision: current.revision });

async function choose(one) {
  const isOther = one !== chosen;
  chosen = one;
  nameChosen();
  if (isOther) drawNothing(element("p", { class: "quiet" }, "Loading …"));
  await show();
}

/** The only place that says which workload is chosen. */
function nameChosen() {
  history.replaceState(null, "", `#${encodeURIComponent(chosen.workload)}`);
  document.title = `${chosen.workload} · Models · Nightjar`;
  byId("main").setAttribute("aria-label", chosen.workload);
  [...byId("workloads").children].forEach((button, index) => {
    if (known[index] === chosen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  });
}

/** Reads the chosen workload and draws it, unless another reading has begun meanwhile. */
async function show() {
  const main = byId("main");
  const mine = (reading = {});
  const { dag_id: dagId } = chosen;
  main.setAttribute("aria-busy", "true");
  byId("result").replaceChildren();
  try {
    const state = await ask(pathOf(dagId));
    const [points, versions] = await Promise.all([ask(pathOf(dagId, "points")), ask(pathOf(dagId, "versions"))]);
    if (reading === mine) draw(state, points, versions);
  } catch (error) {
    if (reading === mine) drawNothing(element("p", { class: "error", role: "alert" }, error.message));
  }
  if (reading === mine) main.setAttribute("aria-busy", "false");
}

function draw(state, points, versions) {
  current = state;
  byId("main").replaceChildren(
    ...notices(state),
    element("div", { class: "columns" }, liveSection(state), element("div", {}, actionSection(state), monitoringSection(state))),
    element("section", { "aria-label": "History" }, element("h2", {}, "AUC by version"), aucPlot(points)),
    element("section", { "aria-labelledby": "versions" }, element("h2", { id: "versions" }, "Versions"), ...versionTable(state, versions)),
  );
  const live = state.live ? `version ${state.live.version} is live` : "no version is live";
  announce(`${chosen.workload}: ${live}.`);
}

/** No button of what was drawn is left. A failure is an alert, which is announced by itself. */
function drawNothing(message) {
  current = null;
  byId("main").replaceChildren(message);
  announce("");
}

/** What a person sees at once, for who hears the page. The same text anew would be heard again. */
function announce(text) {
  if (byId("shown").textContent !== text) byId("shown").textContent = text;
}

/** The buttons stay the same ones: a new one would not have the focus. */
function drawWorkloads() {
  byId("workloads").replaceChildren(...known.map((one) => element("button", { type: "button", onclick: () => choose(one) }, one.workload)));
}

async function start() {
  try {
    known = await ask("workloads");
  } catch (error) {
    byId("main").replaceChildren(element("p", { class: "error", role: "alert" }, error.message));
    return;
  }
  if (!known.length) {
    byId("main").replaceChildren(element("p", { class: "quiet" }, "There is no workload whose deploy DAG you may read."));
    return;
  }
  drawWorkloads();
  const wanted = decodeURIComponent(location.hash.slice(1));
  await choose(known.find((one) => one.workload === wanted) || known[0]);
}

/** Airflow's theme, which it keeps as a class of its document; a page of its own has the system's. */
function followTheme() {
  if (window.parent === window) return;
  const around = window.parent.document.documentElement;
  const take = () => { document.documentElement.dataset.theme = around.classList.contains("dark") ? "dark" : "light"; };
  take();
  new MutationObserver(take).observe(around, { attributes: true, attributeFilter: ["class"] });
  byId("own-tab").hidden = false;
  byId("own-tab").addEventListener("click", openOutside);
}

followTheme();
prepareDialog();
byId("reload").addEventListener("click", () => (chosen ? show() : start()));
start();
