// The AUC of every version with its interval, and that of the champion on the same test set.
const PLOT = { width: 900, height: 260, left: 46, right: 12, top: 12, bottom: 26 };

function aucPlot(points) {
  const known = points.filter((point) => point.a !== null);
  if (!known.length) return element("p", { class: "quiet" }, "No version has an AUC yet.");
  const scale = scales(known);
  const svg = drawn("svg", { viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img", "aria-labelledby": "plot-title" });
  svg.append(drawn("title", { id: "plot-title" }, plotSentence(known)), ...axes(known, scale));
  svg.append(...intervals(known, scale), championLine(known, scale), ...known.map((point, index) => dot(point, index, scale)));
  return element("figure", {}, svg, element("figcaption", {}, plotSentence(known), legend()));
}

function scales(points) {
  const values = points.flatMap((point) => [point.a, point.l, point.h, point.c]).filter((value) => value !== null);
  const margin = Math.max((Math.max(...values) - Math.min(...values)) * 0.08, 0.002);
  const [low, high] = [Math.min(...values) - margin, Math.max(...values) + margin];
  const inner = { x: PLOT.width - PLOT.left - PLOT.right, y: PLOT.height - PLOT.top - PLOT.bottom };
  const step = inner.x / Math.max(points.length - 1, 1);
  return {
    low,
    high,
    x: (index) => PLOT.left + (points.length > 1 ? index * step : inner.x / 2),
    y: (value) => PLOT.top + ((high - value) / (high - low)) * inner.y,
  };
}

function axes(points, scale) {
  const lines = [0, 1, 2, 3, 4].map((tick) => scale.low + ((scale.high - scale.low) * tick) / 4);
  const rows = lines.flatMap((value) => [
    drawn("line", { class: "grid", x1: PLOT.left, x2: PLOT.width - PLOT.right, y1: scale.y(value), y2: scale.y(value) }),
    drawn("text", { x: PLOT.left - 6, y: scale.y(value) + 4, "text-anchor": "end" }, value.toFixed(3)),
  ]);
  const count = Math.min(points.length, 6);
  const ticks = Array.from({ length: count }, (_, at) => Math.round((at * (points.length - 1)) / Math.max(count - 1, 1)));
  const labels = ticks.map((index, at) => {
    const anchor = count === 1 ? "middle" : at === 0 ? "start" : at === count - 1 ? "end" : "middle";
    const text = `v${points[index].v} · ${points[index].d}`;
    return drawn("text", { x: scale.x(index), y: PLOT.height - 6, "text-anchor": anchor, class: "tick" }, text);
  });
  return [...rows, ...labels];
}

/** Bars where there are few versions, a band where there are many. */
function intervals(points, scale) {
  if (points.length > 120) {
    const sides = points.map((point, index) => [scale.x(index), point]).filter(([, point]) => point.l !== null);
    const upper = sides.map(([x, point]) => `${x},${scale.y(point.h)}`);
    const lower = sides.map(([x, point]) => `${x},${scale.y(point.l)}`).reverse();
    return [drawn("polygon", { class: "band", points: [...upper, ...lower].join(" ") })];
  }
  return points.map((point, index) => {
    if (point.l === null || point.h === null) return "";
    const [x, y1, y2] = [scale.x(index), scale.y(point.l), scale.y(point.h)];
    return drawn("line", { class: "interval", x1: x, x2: x, y1, y2, "stroke-width": points.length > 40 ? 2 : 4 });
  });
}

function championLine(points, scale) {
  let started = false;
  const steps = points.map((point, index) => {
    if (point.c === null) { started = false; return ""; }
    const command = `${started ? "L" : "M"}${scale.x(index).toFixed(1)} ${scale.y(point.c).toFixed(1)}`;
    started = true;
    return command;
  });
  return drawn("path", { class: "champion", d: steps.join("") || "M0 0" });
}

function dot(point, index, scale) {
  const text = `version ${point.v} of ${point.d}: AUC ${point.a.toFixed(4)}, ${point.s}`;
  return mark(point.s, scale.x(index), scale.y(point.a), drawn("title", {}, text));
}

/** A state has a shape besides its colour: large, small, hollow, or with corners. */
function mark(state, x, y, ...children) {
  const shape = { class: `dot ${state}` };
  if (state === "waits") return drawn("path", { ...shape, d: `M${x} ${y - 6} l6 6 l-6 6 l-6 -6 z` }, ...children);
  return drawn("circle", { ...shape, cx: x, cy: y, r: state === "live" ? 6 : 3.5 }, ...children);
}

function plotSentence(points) {
  const [first, last] = [points[0], points.at(-1)];
  const live = points.find((point) => point.s === "live");
  const range = points.length === 1 ? `Version ${first.v}` : `Versions ${first.v} to ${last.v}`;
  const compared = live ? ` The live version ${live.v} has ${live.a.toFixed(4)}.` : " No version is live.";
  return `${range}: AUC on the test set with its interval, newest ${last.a.toFixed(4)}.${compared}`;
}

function legend() {
  const entry = (text, ...shape) => element("li", {}, drawn("svg", { viewBox: "0 0 22 14", "aria-hidden": "true" }, ...shape), text);
  const spot = (state) => mark(state, 11, 7);
  return element("ul", { class: "legend" },
    entry("live", spot("live")), entry("approved", spot("approved")), entry("waits", spot("waits")),
    entry("rejected", spot("rejected")),
    entry("champion on the same test set", drawn("path", { class: "champion", d: "M1 7 L21 7" })));
}
