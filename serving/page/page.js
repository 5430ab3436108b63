// The page of the prediction service. All data from the service are shown with textContent, never as markup.

const REFRESH_MILLISECONDS = 10000;
const ROUTE = "/predict";
const QUANTILES = [["p50", 0.5], ["p95", 0.95], ["p99", 0.99]];
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

const byId = (id) => document.getElementById(id);
const fields = new Map(); // name -> {schema, input, message}

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function showFacts(list, facts) {
  list.replaceChildren(...facts.map(([term, text, full]) => {
    const fact = element("div");
    fact.append(element("dt", term), element("dd", text, full === undefined || full === text ? {} : { title: full }));
    return fact;
  }));
}

// ---- the live model -------------------------------------------------------------------------------------------------

const wholeSeconds = (instant) => instant.replace(/\.0+Z$/, "Z");
const short = (digest) => (digest.length > 20 ? `${digest.slice(0, 12)}…` : digest);

function showVersion(version) {
  const text = (name) => (version[name] === undefined || version[name] === null ? "unknown" : String(version[name]));
  byId("workload").textContent = text("workload");
  document.title = `${text("workload")} · Nightjar`;
  showFacts(byId("facts"), [
    ["Version", text("model_version")],
    ["Data set", short(text("dataset_version")), text("dataset_version")],
    ["Data cut-off", wholeSeconds(text("cutoff"))],
    ["Bundle", short(text("bundle_digest")), text("bundle_digest")],
    ["Code", short(text("code_sha")), text("code_sha")],
    ["Workers", text("processes")],
  ]);
  showCard(version.model_card_url);
  const speed = version.engine_microseconds;
  byId("engine").textContent = text("engine") + (typeof speed === "number" ? `, ${duration(speed / 1e6)} a row` : "");
  const reports = Array.isArray(version.parity) ? version.parity : [];
  byId("parity").replaceChildren(
    ...(reports.length ? reports.map(parityLine) : [element("li", "No other engine was tried: scikit-learn serves the model.")]),
  );
}

function showCard(url) {
  if (typeof url !== "string" || !/^https?:\/\//.test(url)) return;
  const [fact, place] = [element("div"), element("dd")];
  place.append(element("a", "purpose, measurements, limits", { href: url, rel: "noreferrer" }));
  fact.append(element("dt", "Model card"), place);
  byId("facts").append(fact);
}

function parityLine(report) {
  const line = element("li");
  line.append(
    element("span", report.passed ? "passed" : "failed", { class: report.passed ? "badge good" : "badge bad" }),
    element("span", String(report.engine), { class: "name" }),
  );
  const parts = [];
  if (report.rows !== undefined) parts.push(`${count(report.rows)} rows`);
  if (report.max_difference !== undefined) parts.push(`largest difference ${Number(report.max_difference).toPrecision(2)}`);
  if (report.flipped !== undefined) parts.push(`${count(report.flipped)} labels differ`);
  if (report.reason) parts.push(String(report.reason));
  line.append(element("span", parts.join(" · "), { class: "detail" }));
  return line;
}

function showState(text, kind) {
  if (byId("state").textContent !== text) byId("state").textContent = text; // a screen reader announces every change
  byId("state").className = `state ${kind}`;
}

// ---- latency --------------------------------------------------------------------------------------------------------

// Samples of one metric in the Prometheus text format: [{labels, value}].
function samples(text, metric) {
  const found = [];
  for (const line of text.split("\n")) {
    const match = line.match(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/);
    if (!match || match[1] !== metric) continue;
    const labels = {};
    for (const [, name, value] of (match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[name] = value;
    found.push({ labels, value: Number(match[3]) });
  }
  return found;
}

// Cumulative counts by upper bound in seconds, ascending: [[bound, count]].
function buckets(text) {
  const counts = new Map();
  for (const { labels, value } of samples(text, "nightjar_request_seconds_bucket")) {
    if (labels.route !== ROUTE) continue;
    const bound = labels.le === "+Inf" ? Infinity : Number(labels.le);
    if (Number.isNaN(bound)) continue;
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

// As Prometheus' histogram_quantile: linear inside a bucket; above the last finite bound only that bound is known.
function quantile(cumulative, share) {
  const rank = share * cumulative[cumulative.length - 1][1];
  let [lower, below] = [0, 0];
  for (const [bound, upTo] of cumulative) {
    if (upTo >= rank && upTo > below) {
      if (bound === Infinity) return `over ${duration(lower)}`;
      return duration(lower + ((bound - lower) * (rank - below)) / (upTo - below));
    }
    [lower, below] = [bound, upTo];
  }
  return "unknown";
}

function showLatency(text) {
  const cumulative = buckets(text);
  const total = cumulative.length ? cumulative[cumulative.length - 1][1] : 0;
  const facts = total ? QUANTILES.map(([name, share]) => [name, quantile(cumulative, share)]) : [];
  const failed = samples(text, "nightjar_requests_total")
    .filter(({ labels }) => labels.route === ROUTE && labels.status?.startsWith("5"))
    .reduce((sum, { value }) => sum + value, 0);
  showFacts(byId("quantiles"), [...facts, ["requests", count(total)], ...(total ? [["failed", count(failed)]] : [])]);
  byId("latency-note").textContent = total
    ? "Measured inside the service since its start, and interpolated from a histogram."
    : "No request has been counted yet.";
}

const count = (number) => Number(number).toLocaleString("en");

function duration(seconds) {
  if (seconds < 0.001) return `${(seconds * 1e6).toPrecision(3).replace(/\.0+$/, "")} µs`;
  return seconds < 1 ? `${Number((seconds * 1000).toPrecision(3))} ms` : `${Number(seconds.toPrecision(3))} s`;
}

async function refresh() {
  try {
    const answer = await fetch("/version");
    const body = await answer.json();
    if (answer.ok) showVersion(body);
    showState(answer.ok ? "live" : String(body.error ?? `answers ${answer.status}`), answer.ok ? "good" : "bad");
  } catch {
    showState("does not answer", "bad");
    return;
  }
  try {
    const answer = await fetch("/metrics");
    showLatency(answer.ok ? await answer.text() : "");
  } catch {
    showLatency("");
  }
}

// ---- the form -------------------------------------------------------------------------------------------------------

async function makeForm() {
  let record;
  try {
    const answer = await fetch("/openapi.json");
    record = (await answer.json()).components.schemas.Record;
    if (!answer.ok || !record.properties) throw new Error("no record");
  } catch {
    showProblem("The service did not return its API description. Reload this page when the service is ready.");
    return;
  }
  if (record.description) byId("fields").before(element("p", record.description, { class: "help" }));
  const required = new Set(record.required ?? []);
  for (const [name, schema] of Object.entries(record.properties)) {
    byId("fields").append(makeField(name, schema, required.has(name)));
  }
  fillExamples();
  byId("send").disabled = false;
}

function makeField(name, schema, required) {
  const id = `field-${name}`;
  const types = [schema.type].flat();
  const box = element("div", "", { class: "field" });
  const label = element("label", name, { for: id });
  if (!required) label.append(element("span", " optional", { class: "optional" }));
  const help = [schema.format === "date-time" ? "time with an offset, like 2013-06-20T14:30:00Z" : types.find((t) => t !== "null"), schema.description]
    .filter(Boolean).join(" · ");
  const input = types.includes("boolean") ? choice(["", "true", "false"]) : element("input", "", { type: "text", autocomplete: "off", spellcheck: "false" });
  if (types.includes("integer")) input.inputMode = "numeric";
  if (types.includes("number")) input.inputMode = "decimal";
  input.id = id;
  input.name = name;
  input.setAttribute("aria-required", String(required));
  input.setAttribute("aria-describedby", `${id}-help ${id}-message`);
  const message = element("p", "", { id: `${id}-message`, class: "message" });
  fields.set(name, { schema, types, input, message });
  box.append(label, input, element("p", help, { id: `${id}-help`, class: "help" }), message);
  return box;
}

function choice(values) {
  const made = element("select");
  made.append(...values.map((value) => element("option", value, { value })));
  return made;
}

function fillExamples() {
  for (const { schema, input } of fields.values()) input.value = schema.examples?.length ? String(schema.examples[0]) : "";
}

// Numbers are sent exactly as typed. Any other input is sent as text, so that the service says what is wrong with it.
function bodyText() {
  const members = [];
  for (const [name, { types, input }] of fields) {
    const typed = input.value;
    if (typed === "" && (types.includes("null") || !types.includes("string"))) continue;
    const literal = types.includes("boolean") || (!types.includes("string") && JSON_NUMBER.test(typed.trim()));
    members.push(`${JSON.stringify(name)}: ${literal ? typed.trim() : JSON.stringify(typed)}`);
  }
  return `{${members.join(", ")}}`;
}

async function predict() {
  clearMessages();
  byId("send").disabled = true;
  const started = performance.now();
  try {
    const headers = { "content-type": "application/json" };
    if (byId("api-key").value) headers["x-api-key"] = byId("api-key").value.trim();
    const answer = await fetch(ROUTE, { method: "POST", headers, body: bodyText() });
    const body = await answer.json();
    if (answer.ok) showAnswer(body, performance.now() - started);
    else showRefusal(answer, body);
  } catch (error) {
    showProblem(error instanceof TypeError ? "The request could not be sent, or there was no answer." : "The answer is not JSON.");
  } finally {
    byId("send").disabled = false;
  }
  await refresh();
}

function clearMessages() {
  byId("problem").hidden = true;
  byId("answer").hidden = true;
  for (const { input, message } of fields.values()) {
    input.removeAttribute("aria-invalid");
    message.textContent = "";
    message.className = "message";
  }
}

// Shows the message beside its field. Returns false if the form has no such field.
function showBeside(name, text, kind) {
  const field = fields.get(name);
  if (!field) return false;
  field.message.textContent = text;
  field.message.className = `message ${kind}`;
  if (kind === "bad") field.input.setAttribute("aria-invalid", "true");
  return true;
}

function showAnswer(body, milliseconds) {
  const percent = 100 * body.probability;
  const text = `${percent.toFixed(1)} %`;
  const head = element("p", "", { class: "verdict" });
  head.append(element("strong", text), element("span", "probability of label 1"), element("span", `prediction ${body.prediction}`, { class: "badge label" }));
  const bar = element("div", "", { class: "bar", role: "meter", "aria-label": "probability of label 1", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": percent.toFixed(1), "aria-valuetext": text });
  const filled = element("div", "", { class: "filled" });
  filled.style.width = `${percent}%`;
  bar.append(filled);
  const scale = element("p", "", { class: "scale", "aria-hidden": "true" });
  scale.append(element("span", "0 %"), element("span", "50 %"), element("span", "100 %"));
  const source = element("p", `Model version ${body.model_version}, answered in ${duration(milliseconds / 1000)}, as measured by this browser.`, { class: "help" });
  byId("answer").replaceChildren(head, bar, scale, source);
  const warnings = body.warnings ?? [];
  if (warnings.length) {
    const list = element("ul", "", { class: "warnings" });
    for (const { field, message } of warnings) {
      showBeside(field, message, "warn");
      list.append(element("li", `${field} ${message}`));
    }
    byId("answer").append(element("p", "Outside the range that the model was trained on:", { class: "warn" }), list);
  }
  byId("answer").hidden = false;
  byId("answer").scrollIntoView({ block: "nearest" });
}

function showRefusal(answer, body) {
  const elsewhere = (body.fields ?? []).filter(({ field, message }) => !showBeside(field, message, "bad"));
  const wait = answer.headers.get("retry-after");
  const lines = [String(body.error ?? `The service answers ${answer.status}.`)];
  for (const { field, message } of elsewhere) if (field) lines.push(`${field} ${message}`);
  if (wait) lines.push(`Try again in ${wait} s.`);
  showProblem(...lines, `Request ${body.request_id ?? answer.headers.get("x-request-id") ?? "without id"}, status ${answer.status}`);
  if (answer.status === 401) {
    byId("key-row").hidden = false;
    byId("api-key").focus();
  } else {
    document.querySelector('[aria-invalid="true"]')?.focus();
  }
}

function showProblem(...lines) {
  byId("problem").replaceChildren(...lines.map((line, index) => element("p", line, { class: index ? "help" : "first" })));
  byId("problem").hidden = false;
  byId("problem").scrollIntoView({ block: "nearest" });
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  predict();
});
byId("form").addEventListener("reset", (event) => {
  event.preventDefault(); // the browser would empty the fields, and the API key
  clearMessages();
  fillExamples();
});
setInterval(() => document.hidden || refresh(), REFRESH_MILLISECONDS);
refresh();
makeForm();
