// Every change is confirmed in a dialog, with a reason.
let asked = null; // the change of the open dialog

function actionButton(text, change) {
  const attributes = { type: "button", class: change.strong ? "strong" : "", disabled: Boolean(change.refused) };
  const button = element("button", { ...attributes, onclick: () => openDialog(text, change, button) }, text);
  if (change.refused) button.title = change.refused;
  return button;
}

function openDialog(text, change, button) {
  // What is read while it is open is not what the person confirms.
  asked = { ...change, ...whatIsShown(), button };
  byId("dialog-title").textContent = `${asked.of.workload}: ${change.title}`;
  byId("dialog-text").textContent = change.text;
  byId("dialog-confirm").textContent = text;
  byId("dialog-confirm").disabled = false;
  byId("dialog-error").textContent = "";
  byId("reason").value = "";
  byId("dialog-until").hidden = !change.until;
  byId("until").required = Boolean(change.until);
  if (change.until) byId("until").value = localInput(change.until);
  byId("dialog").showModal();
  byId(change.until ? "until" : "reason").focus();
}

function localInput(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

async function confirmChange(event) {
  event.preventDefault();
  const change = asked;
  const body = { reason: byId("reason").value, revision: change.revision };
  if (change.runId) body.run_id = change.runId;
  if (change.until) body.until = new Date(byId("until").value).toISOString();
  const confirm = byId("dialog-confirm");
  const focused = document.activeElement;
  confirm.disabled = true; // which takes the focus from it
  try {
    await showDone(change, await ask(change.path, body));
  } catch (error) {
    if (asked !== change) {
      tell(`${change.of.workload}: ${error.message}`, true);
      return;
    }
    byId("dialog-error").textContent = error.message;
    confirm.disabled = false;
    focused.focus();
  }
}

/** A person may have left the dialog meanwhile, and chosen another workload. */
async function showDone(change, done) {
  if (asked === change) byId("dialog").close();
  if (chosen === change.of) await show();
  tell(`${change.of.workload}: ${done.text}`, false, done.run);
  if (chosen === change.of) byId("main").focus(); // the button was drawn anew
}

function endDialog() {
  if (byId("dialog").open) return; // it is open again already, for another change
  const { button } = asked;
  asked = null;
  button.focus();
}

function prepareDialog() {
  byId("dialog-form").addEventListener("submit", confirmChange);
  byId("dialog-cancel").addEventListener("click", () => byId("dialog").close());
  byId("dialog").addEventListener("close", endDialog);
}
