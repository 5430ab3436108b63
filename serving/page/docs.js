// The API's documentation, from the service's own OpenAPI description. All texts are shown with textContent, never as markup.

const byId = (id) => document.getElementById(id);

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function resolved(schema, document) {
  const name = schema?.$ref?.split("/").pop();
  return name === undefined ? schema ?? {} : document.components.schemas[name];
}

function typeOf(schema, document) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map((form) => typeOf(form, document)).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {}, document)}`;
  return [schema.type ?? "any"].flat().join(" or ");
}

// What is wider than the window is scrolled, by keyboard too; its name says what has the focus.
const scrolled = (name) => ({ class: "wide", tabindex: "0", role: "group", "aria-label": name });

function table(name, schema, document) {
  const { properties = {}, required = [] } = schema;
  const made = element("table", "", { "aria-label": name });
  const head = element("tr");
  head.append(...["field", "type", "required", "description", "example"].map((name) => element("th", name, { scope: "col" })));
  made.append(head);
  for (const [fieldName, field] of Object.entries(properties)) {
    const line = element("tr");
    const example = field.examples?.length ? JSON.stringify(field.examples[0]) : "";
    const cells = [fieldName, typeOf(field, document), required.includes(fieldName) ? "yes" : "no", field.description ?? "", example];
    line.append(...cells.map((text) => element("td", text)));
    made.append(line);
  }
  const frame = element("div", "", scrolled(name));
  frame.append(made);
  return frame;
}

function contentSchema(part) {
  return Object.values(part?.content ?? {})[0]?.schema;
}

// What a body may be: one schema, or each of several.
const alternatives = (schema) => schema.anyOf ?? [schema];

function exampleOf(schema, document) {
  const whole = resolved(alternatives(schema)[0], document);
  if (whole.type === "array") return [exampleOf(whole.items, document)];
  if (whole.type !== "object") return whole.examples?.[0] ?? null;
  const given = Object.entries(whole.properties ?? {}).filter(([, field]) => field.examples || field.$ref || field.type === "array");
  return Object.fromEntries(given.map(([name, field]) => [name, field.examples?.[0] ?? exampleOf(field, document)]));
}

function operation(path, method, described, document) {
  const section = element("section", "", { class: "card" });
  section.append(element("h2", `${method.toUpperCase()} ${path}`), element("p", described.summary ?? ""));
  const body = contentSchema(described.requestBody);
  if (body) {
    for (const form of alternatives(body)) {
      const text = JSON.stringify(exampleOf(form, document)).replaceAll("'", "'\\''");
      const command = `curl -X ${method.toUpperCase()} ${location.origin}${path} -H 'content-type: application/json' -d '${text}'`;
      const title = form === body ? "Body" : `Body: ${typeOf(form, document)}`;
      const name = `${method.toUpperCase()} ${path}, ${title}`;
      section.append(element("h3", title), table(name, resolved(form, document), document), element("h3", "Example"));
      section.append(element("pre", command, scrolled(`${name}, example`)));
    }
  }
  section.append(element("h3", "Answers"));
  const answers = element("dl", "", { class: "answers" });
  for (const [status, answer] of Object.entries(described.responses)) {
    answers.append(element("dt", status), element("dd", answer.description));
  }
  section.append(answers);
  const good = resolved(contentSchema(described.responses["200"]), document);
  if (good.properties) section.append(table(good, document));
  return section;
}

async function show() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`/openapi.json answered ${answer.status}`);
  const document = await answer.json();
  const sections = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => operation(path, method, described, document)));
  byId("operations").replaceChildren(...sections);
  byId("state").hidden = true;
}

show().catch((error) => { byId("state").textContent = `The API description could not be shown: ${error.message}`; });
