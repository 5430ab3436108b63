"""What stands between a page in a browser and who reads it by ear, by keyboard, enlarged or with weak eyes.

axe-core has the rules. What a screen reader is given, the browser's own accessibility tree, is read besides: axe
computes names and roles from the document by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize

PHONE, DESKTOP = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)
# Rules that axe has off: the least size of a target, and a table's headers where it is large.
OPTIONS = {
    "resultTypes": ["violations", "incomplete"],
    "rules": {name: {"enabled": True} for name in ("target-size", "td-has-header")},
}
# What depends on colours, and what on the width of the window
DARK = {"resultTypes": ["violations", "incomplete"], "runOnly": ["color-contrast", "link-in-text-block"]}
NARROW = {
    "resultTypes": ["violations"],
    "runOnly": [
        "target-size", "scrollable-region-focusable", "meta-viewport", "aria-required-children", "aria-required-parent",
        "td-has-header", "th-has-data-cells",
    ],
}  # fmt: skip
CONTROLS = frozenset(
    ("button", "link", "textbox", "combobox", "checkbox", "radio", "spinbutton", "slider", "switch", "tab", "menuitem")
)
NAMED = CONTROLS | frozenset(("dialog", "image", "img", "table", "region", "navigation", "meter", "Date", "DateTime"))
MOVING = """() => [...document.querySelectorAll("*")].filter((one) => {
  const style = getComputedStyle(one);
  return style.animationName !== "none" || style.transitionDuration.split(", ").some((time) => parseFloat(time) > 0);
}).map((one) => `moves: ${one.outerHTML.slice(0, 80)}`)"""
# For texts of which axe-core does not know what is behind them, for instance in a drawing: the ground is that of the
# elements around.
CONTRAST = """(selectors) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const bytes = (colour, ground) => {
    canvas.fillStyle = `rgb(${ground.join()})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((one) => one / 255)
    .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = "Canvas"; // what is behind everything
  const canvasColour = bytes(getComputedStyle(probe).color, [0, 0, 0]);
  probe.remove();
  return selectors.map((one) => document.querySelector(one)).flatMap((one) => {
    const around = [];
    for (let node = one; node; node = node.parentElement) around.unshift(getComputedStyle(node).backgroundColor);
    const ground = around.reduce((below, colour) => bytes(colour, below), canvasColour);
    const style = getComputedStyle(one);
    const text = bytes(one.ownerSVGElement ? style.fill : style.color, ground);
    const [low, high] = [light(ground), light(text)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    return ratio < 4.5 ? [`contrast of “${one.textContent}”: ${ratio.toFixed(2)}`] : [];
  });
}"""
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# What passes is not returned: it is the greatest part by far.
RUN = "(options) => axe.run(options).then(({ violations, incomplete }) => ({ violations, incomplete }))"


@dataclass(frozen=True)
class Node:
    """One node of the browser's accessibility tree.

    Attributes:
        role: As Chromium has it.
        properties: ``focusable``, ``level``, ``live`` and others, where the node has them.
        children: Ids of the nodes below it.
    """

    role: str
    name: str
    description: str
    properties: dict[str, Any]
    children: tuple[str, ...]


def faults(page: Page) -> list[str]:
    """Everything wrong with the page as it is: in both colour schemes, on a phone and on a desk."""
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found = [f"dark: {fault}" for fault in _faults_of_rules(page, DARK)]
    page.emulate_media(color_scheme="light")
    for size, options in ((PHONE, NARROW), (DESKTOP, OPTIONS)):
        page.set_viewport_size(size)
        where = f"{size['width']} px"
        found += [f"{where}: {fault}" for fault in _faults_of_rules(page, options)]
        found += [f"{where}: the page is wider"] if page.evaluate(WIDE) > 0 else []
    found += [*page.evaluate(MOVING), *_faults_of_tree(tree(page))]
    page.emulate_media(color_scheme="null", reduced_motion="null")
    return list(dict.fromkeys(found))


def tree(page: Page) -> list[Node]:
    """The nodes that a screen reader is given, in the order of the page."""
    session = page.context.new_cdp_session(page)
    try:
        raw = session.send("Accessibility.getFullAXTree")["nodes"]
    finally:
        session.detach()
    by_id = {one["nodeId"]: one for one in raw}
    (root,) = (one for one in raw if "parentId" not in one)
    return list(_walk(root, by_id))


def nodes(page: Page, *roles: str) -> list[Node]:
    """The nodes with one of some roles."""
    return [node for node in tree(page) if node.role in roles]


def _walk(raw: dict[str, Any], by_id: dict[str, Any]) -> Iterator[Node]:
    if not raw.get("ignored"):
        yield Node(
            _value(raw, "role"),
            _value(raw, "name"),
            _value(raw, "description"),
            {one["name"]: one["value"].get("value") for one in raw.get("properties", ())},
            tuple(raw.get("childIds", ())),
        )
    for child in raw.get("childIds", ()):
        if child in by_id:
            yield from _walk(by_id[child], by_id)


def _value(raw: dict[str, Any], field: str) -> str:
    return str(raw.get(field, {}).get("value", ""))


def _faults_of_rules(page: Page, options: dict[str, Any]) -> Iterator[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    answer = page.evaluate(RUN, options)
    for rule in answer["violations"]:
        for node in rule["nodes"]:
            words = (check["message"] for check in (*node["any"], *node["all"], *node["none"]))
            yield f"{rule['id']}: {' '.join(map(str, node['target']))}: {'; '.join(words)}"
    undecided = [node for rule in answer["incomplete"] if rule["id"] == "color-contrast" for node in rule["nodes"]]
    yield from page.evaluate(CONTRAST, [node["target"][0] for node in undecided])


def _faults_of_tree(found: list[Node]) -> Iterator[str]:
    for node in found:
        if node.role in NAMED and not node.name.strip():
            yield f"a {node.role} without a name"
        if node.properties.get("focusable") and node.role in ("generic", "none"):
            yield f"what has the focus has no role: {node.name or node}"
    levels = [int(node.properties["level"]) for node in found if node.role == "heading"]
    modal = any(node.properties.get("modal") for node in found)  # it is all that there is
    if levels.count(1) != 1 and not modal:
        yield f"{levels.count(1)} headings of the first level"
    yield from (
        f"a heading of level {after} below one of level {before}"
        for before, after in pairwise(levels)
        if after > before + 1
    )
