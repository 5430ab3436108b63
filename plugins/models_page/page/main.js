// Which workload is shown, and the theme of the page around this one.
let current = null;
let known = [];

const shownRevision = () => current.revision;
const shownDag = () => current.dag_id;

async function show(dagId) {
  const main = byId("main");
  main.setAttribute("aria-busy", "true");
  byId("result").replaceChildren();
  try {
    const state = await ask(pathOf(dagId));
    const [points, versions] = await Promise.all([ask(pathOf(dagId, "points")), ask(pathOf(dagId, "versions"))]);
    current = state;
    main.replaceChildren(
      ...notices(state),
      element("div", { class: "columns" }, liveSection(state), element("div", {}, actionSection(state), monitoringSection(state))),
      element("section", { "aria-label": "History" }, element("h2", {}, "AUC by version"), aucPlot(points)),
      element("section", { "aria-label": "Versions" }, element("h2", {}, "Versions"), ...versionTable(state, versions)),
    );
  } catch (error) {
    main.replaceChildren(element("p", { class: "error", role: "alert" }, error.message));
  }
  main.setAttribute("aria-busy", "false");
  drawWorkloads(dagId);
}

function drawWorkloads(dagId) {
  byId("workloads").replaceChildren(...known.map((one) => element("button", {
    type: "button", "aria-current": one.dag_id === dagId ? "true" : null, onclick: () => choose(one),
  }, one.workload)));
}

function choose(one) {
  history.replaceState(null, "", `#${encodeURIComponent(one.workload)}`);
  document.title = `${one.workload} · Models · Nightjar`;
  return show(one.dag_id);
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
byId("reload").addEventListener("click", () => (current ? show(current.dag_id) : start()));
start();
