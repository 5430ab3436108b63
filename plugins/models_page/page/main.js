// Which workload is shown, and the theme of the page around this one.
let current = null;
let known = [];

const shownRevision = () => current.revision;
const shownDag = () => current.dag_id;

async function show(dagId) {
  const main = byId("main");
  main.setAttribute("aria-busy", "true");
  main.setAttribute("aria-label", workloadOf(dagId));
  byId("result").replaceChildren();
  try {
    const state = await ask(pathOf(dagId));
    const [points, versions] = await Promise.all([ask(pathOf(dagId, "points")), ask(pathOf(dagId, "versions"))]);
    current = state;
    main.replaceChildren(
      ...notices(state),
      element("div", { class: "columns" }, liveSection(state), element("div", {}, actionSection(state), monitoringSection(state))),
      element("section", { "aria-label": "History" }, element("h2", {}, "AUC by version"), aucPlot(points)),
      element("section", { "aria-labelledby": "versions" }, element("h2", { id: "versions" }, "Versions"), ...versionTable(state, versions)),
    );
  } catch (error) {
    main.replaceChildren(element("p", { class: "error", role: "alert" }, error.message));
  }
  main.setAttribute("aria-busy", "false");
}

const workloadOf = (dagId) => known.find((one) => one.dag_id === dagId).workload;

/** The buttons stay the same ones: a new one would not have the focus. */
function drawWorkloads() {
  byId("workloads").replaceChildren(...known.map((one) => element("button", {
    type: "button", onclick: (event) => choose(one, event.currentTarget),
  }, one.workload)));
}

async function choose(one, button) {
  history.replaceState(null, "", `#${encodeURIComponent(one.workload)}`);
  document.title = `${one.workload} · Models · Nightjar`;
  for (const other of byId("workloads").children) other.removeAttribute("aria-current");
  button.setAttribute("aria-current", "true");
  await show(one.dag_id);
  announceShown();
}

/** What a person sees at once, for who hears the page. A failure is an alert, which is announced by itself. */
function announceShown() {
  if (byId("main").querySelector(":scope > [role=alert]")) return;
  const live = current.live ? `version ${current.live.version} is live` : "no version is live";
  byId("shown").textContent = `${workloadOf(current.dag_id)}: ${live}.`;
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
  const first = Math.max(known.findIndex((one) => one.workload === wanted), 0);
  await choose(known[first], byId("workloads").children[first]);
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
byId("reload").addEventListener("click", () => (current ? show(current.dag_id) : start()));
start();
