// The versions, newest first, a part at a time.
const COLUMNS = ["Version", "Day", "Status", "AUC (interval)", "Against the champion", "Cost", "Why"];

function versionTable(state, first) {
  const body = element("tbody", { role: "rowgroup" });
  const heads = COLUMNS.map((text) => element("th", { scope: "col", role: "columnheader" }, text));
  const table = element("table", { class: "versions", role: "table", "aria-labelledby": "versions", "aria-describedby": "versions-count" },
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...heads)), body);
  const more = element("button", { type: "button", onclick: () => older() }, "Show older versions");
  const count = element("p", { class: "quiet", id: "versions-count", role: "status" });
  let last = null;

  function add(part) {
    const before = body.lastElementChild;
    body.append(...part.rows.flatMap((row) => versionLine(state, row)));
    last = part.rows.length ? part.rows.at(-1).version : last;
    const shown = body.querySelectorAll("tr.version").length;
    count.textContent = `${shown} of ${shown + part.more} versions are shown.`;
    more.hidden = part.more === 0;
    return before;
  }

  async function older() {
    more.disabled = true; // which takes the focus from it
    try {
      const before = add(await ask(`${pathOf(state.dag_id, "versions")}?before=${last}`));
      before?.nextElementSibling?.querySelector("button")?.focus();
    } catch (error) {
      if (table.isConnected) tell(error.message, true); // otherwise another workload is shown
      more.disabled = false;
      more.focus();
    }
    more.disabled = false;
  }

  add(first);
  return [table, count, more];
}

function versionLine(state, row) {
  const id = `version-${row.version}`;
  const details = element("tr", { id, hidden: true, role: "row" },
    element("td", { class: "details", colspan: COLUMNS.length, role: "cell" }));
  const button = element("button", {
    type: "button", class: "plain", "aria-expanded": "false", "aria-controls": id, "aria-label": `Version ${row.version}, details`,
    onclick: () => toggleDetails(state, row.version, button, details),
  }, String(row.version));
  const cell = (label, attributes, ...children) => element("td", { role: "cell", "data-label": label, ...attributes }, ...children);
  const difference = row.difference === null ? "–" : `${signed(row.difference)} (v${row.champion})`;
  return [
    element("tr", { class: "version", role: "row" },
      element("th", { scope: "row", role: "rowheader" }, button),
      cell("Day", { class: "number" }, row.day), cell("Status", {}, ...statusChips(row)),
      cell("AUC", { class: "number" }, interval(row)), cell("Against the champion", { class: "number" }, difference),
      cell("Cost", { class: "number" }, dollars(row.cost_usd)),
      cell("Why", { class: "reason" }, element("span", { class: "cut" }, row.reasons))),
    details,
  ];
}

async function toggleDetails(state, number, button, details) {
  const open = details.hidden;
  button.setAttribute("aria-expanded", String(open));
  details.hidden = !open;
  if (!open) return;
  const cell = details.firstElementChild;
  cell.replaceChildren(element("p", { class: "quiet" }, "Loading …"));
  try {
    cell.replaceChildren(...(await versionDetails(state, number)));
  } catch (error) {
    cell.replaceChildren(element("p", { class: "error", role: "alert" }, error.message));
  }
}

function statusChips(row) {
  const chips = [];
  const tone = row.waits ? "warn" : row.status === "rejected" ? "bad" : "";
  if (row.live) chips.push(element("span", { class: "chip good" }, "live"));
  else chips.push(element("span", { class: `chip ${tone}` }, row.status));
  if (row.was_live && !row.live) chips.push(" ", element("span", { class: "chip" }, "was live"));
  if (row.backfilled) chips.push(" ", element("span", { class: "chip" }, "backfilled"));
  return chips;
}
