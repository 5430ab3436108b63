// Requests go to the application beside this page, with the login of Airflow's cookie.
async function ask(path, body) {
  const options = { credentials: "same-origin", headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.headers["X-Nightjar-Page"] = "models"; // no page of another origin can send it
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(`api/${path}`, options);
  } catch {
    throw new Error("Airflow does not answer. Look whether it runs, then reload.");
  }
  const found = await answer.json().catch(() => ({}));
  if (answer.ok) return found;
  throw new Error(refusal(answer.status, found.detail));
}

function refusal(status, detail) {
  if (status === 401) return "You are not logged in to Airflow. Log in, then reload this page.";
  if (status === 403) return "Your role in Airflow does not permit this. Ask for the right to trigger the deploy DAG.";
  if (Array.isArray(detail)) return detail.map((one) => `${(one.loc || []).at(-1)}: ${one.msg}`).join("; ");
  return typeof detail === "string" ? detail : `Airflow answered with status ${status}. Look at the API server's log.`;
}

const pathOf = (dagId, ...parts) => [dagId, ...parts].map(encodeURIComponent).join("/");

function tell(text, isError, run) {
  const link = run ? linkTo("Open the run", run.page) : null;
  byId("result").replaceChildren(element("p", { class: isError ? "error" : "" }, text, link ? " " : null, link));
}
