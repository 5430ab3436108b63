"""One column as an inline SVG: the shares of its bins in training and in the window, side by side."""

from __future__ import annotations

from html import escape

from include.model.baseline import ABOVE, BELOW, MISSING, OTHER, PRESENT, UNKNOWN
from include.pipelines.monitor.types import ColumnResult

WIDTH, HEIGHT, FOOT = 300, 110, 34
LABEL_LENGTH = 8


def bars(result: ColumnResult) -> str:
    """Draws a column."""
    names = bin_names(result)
    expected, found = (_shares(result[kind], names) for kind in ("expected", "found"))
    top = max([*expected, *found, 0.01])
    step = WIDTH / max(1, len(names))
    parts = []
    for index, name in enumerate(names):
        for offset, (kind, value) in enumerate((("a", expected[index]), ("b", found[index]))):
            height = value / top * HEIGHT
            x = index * step + step * (0.1 + 0.4 * offset)
            parts.append(
                f'<rect class="{kind}" x="{x:.1f}" y="{HEIGHT - height:.1f}" width="{step * 0.38:.1f}" '
                f'height="{height:.1f}"/>'
            )
        text, x = label(result, name), index * step + step / 2
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT + 8}" transform="rotate(35 {x:.1f} {HEIGHT + 8})">'
            f"<title>{escape(text)}</title>{escape(text[:LABEL_LENGTH])}</text>"
        )
    parts.append(f'<path d="M0,{HEIGHT} H{WIDTH}"/>')
    caption = f"{result['name']}: share of each bin in training and in the window"
    head = f'<svg viewBox="0 0 {WIDTH + 20} {HEIGHT + FOOT}" role="img" aria-label="{escape(caption)}">'
    return f"{head}{''.join(parts)}</svg>"


def bin_names(result: ColumnResult) -> list[str]:
    """Returns the bins that training or the window has, in the order of their values."""
    names = {name for name in {**result["expected"], **result["found"]} if _has(result, name)}
    order = {BELOW: -1, ABOVE: 1000, OTHER: 1001, UNKNOWN: 1002, PRESENT: 1003, MISSING: 1004}
    return sorted(names, key=lambda name: order.get(name, int(name) if name.isdigit() else 999))


def label(result: ColumnResult, name: str) -> str:
    """Returns what a bin holds."""
    if not name.isdigit():
        return name
    index, edges = int(name), result.get("edges")
    if edges is None:
        return result.get("values", [])[index]
    if not edges:
        return "all"
    return f"<{edges[0]:.4g}" if index == 0 else f"≥{edges[index - 1]:.4g}"


def _has(result: ColumnResult, name: str) -> bool:
    return bool(result["expected"].get(name) or result["found"].get(name))


def _shares(counts: dict[str, int], names: list[str]) -> list[float]:
    total = max(1, sum(counts.values()))
    return [counts.get(name, 0) / total for name in names]
