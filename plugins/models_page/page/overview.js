// What is live and why, what hinders a deploy, what is measured, and what may be done.
function liveSection(state) {
  const live = state.live;
  const title = live
    ? element("p", { class: "big" }, `Version ${live.version} `, element("span", { class: "chip good" }, "live"))
    : element("p", { class: "quiet" }, "No version is live.");
  const ofLive = live
    ? [["trained for", live.day], ["AUC", interval(live)], ["compared with", comparison(live)], ["cost", dollars(live.cost_usd)],
      ["why", live.reasons]]
    : [];
  const ofAll = [["versions", String(state.versions)], ["cost of the last 30 days", dollars(state.cost_usd)]];
  return element("section", { "aria-label": "Live version" }, element("h2", {}, "Live"), title,
    facts([...ofLive, ...ofAll]), linkList(state.pages));
}

function notices(state) {
  const notice = (text, tone, link) => element("p", { class: `notice ${tone || ""}` }, text, link ? " " : null, link || null);
  const found = [];
  if (state.problem) found.push(notice(state.problem, "bad"));
  if (state.deploying) {
    found.push(notice(`A deploy of version ${state.deploying.version} has begun.`, "", linkTo("Open its run", state.deploy_page)));
  }
  if (state.given_up) found.push(notice(state.given_up, "bad"));
  if (state.freeze) {
    const { until, by, reason } = state.freeze;
    found.push(notice(`Deploys are frozen until ${localTime(until)} by ${by}: ${reason}`));
  }
  if (state.hold) found.push(notice("A hold is set, since a roll-back or a repair: no new version is deployed by itself."));
  if (state.stands_still) found.push(notice(state.stands_still, "bad"));
  if (state.waiting.length) found.push(notice(`Waits for a person's approval: version ${state.waiting.join(", ")}. Open it in the table below.`));
  return found;
}

function actionSection(state) {
  if (!state.may_change) {
    return element("section", { "aria-label": "Actions" }, element("h2", {}, "Actions"),
      element("p", { class: "quiet" }, `You may read. Changes need the right to trigger ${state.dag_id}.`));
  }
  const buttons = [state.deploying?.ends_by_roll_back ? endDeployButton(state) : rollBackButton(state)];
  if (state.hold) buttons.push(releaseButton(state));
  buttons.push(state.freeze ? unfreezeButton(state) : freezeButton(state));
  return element("section", { "aria-label": "Actions" }, element("h2", {}, "Actions"),
    element("p", { class: "buttons" }, ...buttons),
    ...refusals(state).map((text) => element("p", { class: "quiet" }, text)));
}

/** Why a button does nothing, for who cannot point at it. */
function refusals(state) {
  return [state.live ? state.roll_back.refused : "", state.hold ? state.release.refused : ""].filter(Boolean);
}

/** While a deploy runs, going back ends it: a roll-back of the live version would wait for its end. It names the run. */
function endDeployButton(state) {
  const { version, run_id: runId } = state.deploying;
  return actionButton(`Roll back the deploy of version ${version}`, {
    title: `Roll back the deploy of version ${version}?`,
    text: `${whenItEnds(state)} Version ${version} stays approved. A hold is set: new versions are not deployed until you release it.`,
    path: pathOf(state.dag_id, "end-deploy"),
    runId,
    strong: true,
  });
}

function whenItEnds(state) {
  const { version, run_id: runId } = state.deploying;
  if (state.stands_still) {
    return `Nothing goes back yet, and version ${version} may get requests until then: ${state.stands_still} After that, run ${runId} goes back ` +
      `to version ${state.live?.version}.`;
  }
  return `Run ${runId} goes back to version ${state.live?.version}, which stays live, at its next step. During a canary it looks about every ` +
    `${state.look_seconds} seconds; the end of a rollout, or of a shadow's job, is waited for.`;
}

function rollBackButton(state) {
  return actionButton("Roll back", {
    title: "Roll back?",
    text: `A run of ${state.dag_id} deploys version ${state.roll_back.version} in place of version ${state.live?.version}. ` +
      `Version ${state.live?.version} is rejected, and a hold is set: new versions are not deployed until you release it.`,
    path: pathOf(state.dag_id, "roll-back"),
    refused: state.live ? state.roll_back.refused : "No version is live.",
  });
}

function releaseButton(state) {
  return actionButton("Release the hold", {
    title: "Release the hold?",
    text: `A run of ${state.dag_id} deploys version ${state.release.version}, the newest approved one, and ends the hold.`,
    path: pathOf(state.dag_id, "release-hold"),
    refused: state.freeze ? "Deploys are frozen." : state.release.refused,
    strong: true,
  });
}

function freezeButton(state) {
  return actionButton("Freeze deploys", {
    title: "Freeze deploys?",
    text: "No version is deployed until then. A person may still roll back.",
    path: pathOf(state.dag_id, "freeze"),
    until: new Date(Date.now() + 24 * 3600 * 1000),
  });
}

function unfreezeButton(state) {
  return actionButton("End the freeze", {
    title: "End the freeze?",
    text: "The next approved version is deployed again by itself.",
    path: pathOf(state.dag_id, "unfreeze"),
  });
}

function monitoringSection(state) {
  const value = (one) => (one.value === null
    ? element("span", { class: "quiet" }, "not measured yet")
    : element("span", {}, one.value.toFixed(one.digits), " ", element("span", { class: "quiet" }, `at ${localTime(one.at)}`)));
  const content = state.monitoring.length
    ? facts(state.monitoring.map((one) => [one.title, value(one)]))
    : element("p", { class: "quiet" }, "CloudWatch does not answer. The API server's log has the reason.");
  return element("section", { "aria-label": "Monitoring" }, element("h2", {}, "In production"), content);
}
