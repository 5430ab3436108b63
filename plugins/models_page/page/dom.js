// Elements are made of texts only: no value becomes markup.
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const drawn = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const byId = (id) => document.getElementById(id);

/** An address that a link may have: a page of a web server, never a script. */
function safeAddress(address) {
  const url = new URL(address, location.href);
  return ["http:", "https:"].includes(url.protocol) ? url.href : null;
}

/** Airflow shows this page in a frame that may open no window. A link of the page around it may. */
function openOutside(event) {
  if (window.parent === window) return;
  event.preventDefault();
  const link = window.parent.document.createElement("a");
  fill(link, { href: event.currentTarget.href, target: "_blank", rel: "noopener noreferrer" }, []);
  link.click();
}

function linkTo(text, address) {
  const href = safeAddress(address);
  if (!href) return element("span", {}, text);
  return element("a", { href, target: "_blank", rel: "noopener noreferrer", onclick: openOutside }, text);
}

function linkList(pages) {
  const links = Object.entries(pages).map(([text, address]) => element("li", {}, linkTo(text, address)));
  return links.length ? element("ul", { class: "links" }, ...links) : null;
}

function facts(entries) {
  const shown = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, ...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

const decimals = (value, digits) => (value === null || value === undefined ? "–" : value.toFixed(digits));
const dollars = (value) => (value === null || value === undefined ? "–" : `$${value.toFixed(value < 1 ? 4 : 2)}`);
const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;
const localTime = (text) => new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

function interval(row) {
  if (row.auc === null) return "–";
  const bounds = row.auc_low === null ? "" : ` (${row.auc_low.toFixed(4)}–${row.auc_high.toFixed(4)})`;
  return row.auc.toFixed(4) + bounds;
}
