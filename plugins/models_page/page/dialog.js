// Every change is confirmed in a dialog, with a reason.
let asked = null;

function actionButton(text, change) {
  const attributes = { type: "button", class: change.strong ? "strong" : "", disabled: Boolean(change.refused) };
  const button = element("button", { ...attributes, onclick: () => openDialog(text, change, button) }, text);
  if (change.refused) button.title = change.refused;
  return button;
}

function openDialog(text, change, button) {
  asked = { ...change, button };
  byId("dialog-title").textContent = change.title;
  byId("dialog-text").textContent = change.text;
  byId("dialog-confirm").textContent = text;
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
  const body = { reason: byId("reason").value, revision: shownRevision() };
  if (asked.until) body.until = new Date(byId("until").value).toISOString();
  const confirm = byId("dialog-confirm");
  const focused = document.activeElement;
  confirm.disabled = true; // which takes the focus from it
  try {
    const done = await ask(asked.path, body);
    byId("dialog").close();
    await show(shownDag());
    tell(done.text, false, done.run);
    byId("main").focus(); // the button was drawn anew
  } catch (error) {
    byId("dialog-error").textContent = error.message;
    confirm.disabled = false;
    focused.focus();
  }
  confirm.disabled = false;
}

function prepareDialog() {
  byId("dialog-form").addEventListener("submit", confirmChange);
  byId("dialog-cancel").addEventListener("click", () => byId("dialog").close());
  byId("dialog").addEventListener("close", () => asked?.button.focus());
}
