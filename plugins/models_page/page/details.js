// Everything about one version, and what may be done with it.
async function versionDetails(state, number) {
  const found = await ask(pathOf(state.dag_id, "versions", number));
  const made = Object.entries(found.made_from).map(([name, value]) => [name, element("span", { class: "mono" }, value)]);
  const parts = [
    facts([
      ["why", found.reasons],
      ["decision", decisionOf(found)],
      ["AUC", interval(found)],
      ["champion", comparison(found)],
      ["cost", dollars(found.cost_usd)],
      ["registered", found.created ? localTime(found.created) : ""],
      ["rolled back by", found.rolled_back_by],
    ]),
    element("h3", {}, "Made from"),
    facts(made),
    linkList(found.pages),
  ];
  const buttons = versionButtons(state, found);
  if (buttons.length) parts.push(element("p", { class: "buttons" }, ...buttons));
  return parts.filter(Boolean);
}

function decisionOf(row) {
  const backfilled = row.backfilled ? ", of a backfill, so it is not deployed by itself" : "";
  return (row.promoted ? "promoted" : "not promoted") + backfilled;
}

function comparison(row) {
  if (row.champion === null) return "none to compare with";
  if (row.difference === null) return `version ${row.champion}`;
  return `version ${row.champion}: ${decimals(row.champion_auc, 4)} on the same test set, difference ${signed(row.difference)}`;
}

function versionButtons(state, row) {
  if (!state.may_change) return [];
  const number = row.version;
  const buttons = [];
  if (row.waits) {
    buttons.push(actionButton(`Approve version ${number}`, {
      title: `Approve version ${number}?`,
      text: approvalText(state, number),
      path: pathOf(state.dag_id, "versions", number, "approve"),
      strong: true,
    }));
  }
  if (!row.live && row.status === "approved" && number > (state.live?.version || 0)) {
    buttons.push(actionButton(`Deploy version ${number}`, {
      title: `Deploy version ${number}?`,
      text: `A run of ${state.dag_id} deploys it. A hold, if one is set, stays.`,
      path: pathOf(state.dag_id, "versions", number, "deploy"),
      refused: state.freeze ? "Deploys are frozen." : "",
    }));
  }
  if (!row.live && row.status !== "rejected") {
    buttons.push(actionButton(`Reject version ${number}`, {
      title: `Reject version ${number}?`,
      text: "It is never deployed.",
      path: pathOf(state.dag_id, "versions", number, "reject"),
    }));
  }
  return buttons;
}

function approvalText(state, number) {
  if (state.freeze) return "Deploys are frozen: it is approved, and not deployed.";
  if (state.hold) return "A hold is set: it is approved, and not deployed until the hold is released.";
  const live = state.live ? `in place of version ${state.live.version}` : "as the first live version";
  return `A run of ${state.dag_id} deploys version ${number} ${live}.`;
}
