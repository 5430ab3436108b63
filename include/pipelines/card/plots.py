"""Drawings of a card: inline SVG whose colours come from the page, so that they suit dark and light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from include.model.evaluation import Point

SIZE, MARGIN = 240, 40  # of a square plot
BAR_WIDTH, LABEL_WIDTH, ROW = 300, 170, 20
SMALL_WIDTH, SMALL_HEIGHT = 200, 60


class Range(NamedTuple):
    """A value with its interval, which may be unknown."""

    label: str
    role: str
    value: float
    low: float | None
    high: float | None


def curves(title: str, axes: tuple[str, str], lines: Mapping[str, Sequence[Point]], *, diagonal: bool) -> str:
    """Lines in the unit square.

    Args:
        title: What is shown.
        axes: Names of the axes, x and y.
        lines: Points of each role.
        diagonal: Whether the diagonal is drawn.
    """
    parts = [f'<rect class="frame" x="{MARGIN}" y="{MARGIN}" width="{SIZE}" height="{SIZE}"/>']
    if diagonal:
        parts.append(f'<path class="guide" d="{_path([(0, 0), (1, 1)])}"/>')
    for tick in (0, 0.5, 1):
        x, y = _place(tick, tick)
        parts.append(f'<text x="{x:.0f}" y="{MARGIN + SIZE + 15}" text-anchor="middle">{tick:g}</text>')
        parts.append(f'<text x="{MARGIN - 6}" y="{y + 4:.0f}" text-anchor="end">{tick:g}</text>')
    middle = MARGIN + SIZE / 2
    parts.append(f'<text x="{middle:.0f}" y="{MARGIN + SIZE + 31}" text-anchor="middle">{escape(axes[0])}</text>')
    turned = f'transform="rotate(-90 12 {middle:.0f})"'
    parts.append(f'<text x="12" y="{middle:.0f}" text-anchor="middle" {turned}>{escape(axes[1])}</text>')
    for index, (role, points) in enumerate(lines.items()):
        parts.append(f'<path class="{role}" d="{_path(points)}"/>')
        parts.append(f'<text class="{role}" x="{MARGIN + 8 + 90 * index}" y="{MARGIN - 8}">{role}</text>')
    return _figure(title, SIZE + 2 * MARGIN, SIZE + 2 * MARGIN, parts)


def ranges(title: str, rows: Sequence[Range], *, guide: float | None = None) -> str:
    """Values with their intervals, one a line, on a common scale; a dashed line at ``guide``."""
    known = [number for row in rows for number in (row.value, row.low, row.high) if number is not None]
    if guide is not None:
        known.append(guide)
    if not rows or not known:
        return ""
    low, high = min(known), max(known)
    spare = (high - low) * 0.05 or 0.01
    low, high = low - spare, high + spare

    def across(value: float) -> float:
        return LABEL_WIDTH + (value - low) / (high - low) * BAR_WIDTH

    bottom = ROW * (len(rows) + 1)
    parts = [] if guide is None else [f'<path class="guide" d="M{across(guide):.1f},4 V{bottom - 6}"/>']
    for index, row in enumerate(rows):
        y = ROW * (index + 0.75)
        parts.append(
            f'<text x="{LABEL_WIDTH - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(_short(row.label))}</text>'
        )
        if row.low is not None and row.high is not None:
            parts.append(f'<path class="{row.role}" d="M{across(row.low):.1f},{y:.1f} H{across(row.high):.1f}"/>')
        parts.append(f'<circle class="{row.role}" cx="{across(row.value):.1f}" cy="{y:.1f}" r="3.5"/>')
    parts += [
        f'<text x="{across(value):.1f}" y="{bottom + 6}" text-anchor="middle">{value:.3f}</text>'
        for value in (low, (low + high) / 2, high)
    ]
    return _figure(title, LABEL_WIDTH + BAR_WIDTH + 30, bottom + 12, parts)


def bars(title: str, rows: Sequence[tuple[str, float]]) -> str:
    """Bars from zero, one a line; a negative value has none."""
    largest = max((value for _, value in rows), default=0.0)
    parts = []
    for index, (label, value) in enumerate(rows):
        y = ROW * index
        width = max(value, 0.0) / largest * BAR_WIDTH if largest > 0 else 0.0
        parts.append(f'<text x="{LABEL_WIDTH - 8}" y="{y + 15}" text-anchor="end">{escape(_short(label))}</text>')
        parts.append(f'<rect class="candidate" x="{LABEL_WIDTH}" y="{y + 5}" width="{width:.1f}" height="{ROW - 8}"/>')
        parts.append(f'<text x="{LABEL_WIDTH + width + 6:.1f}" y="{y + 15}">{value:.4f}</text>')
    return _figure(title, LABEL_WIDTH + BAR_WIDTH + 60, ROW * len(rows) + 6, parts) if rows else ""


def histogram(title: str, shares: Sequence[float], ends: tuple[str, str]) -> str:
    """A small histogram, with what its first and its last bin are."""
    largest = max(shares, default=0.0)
    parts = [f'<path class="guide" d="M0,{SMALL_HEIGHT} H{SMALL_WIDTH}"/>']
    step = SMALL_WIDTH / max(1, len(shares))
    for index, share in enumerate(shares):
        height = share / largest * (SMALL_HEIGHT - 4) if largest > 0 else 0.0
        place = f'x="{index * step:.1f}" y="{SMALL_HEIGHT - height:.1f}"'
        parts.append(f'<rect class="candidate" {place} width="{step * 0.8:.1f}" height="{height:.1f}"/>')
    parts.append(f'<text x="0" y="{SMALL_HEIGHT + 13}">{escape(_short(ends[0], 16))}</text>')
    if len(shares) > 1:
        last = f'<text x="{SMALL_WIDTH}" y="{SMALL_HEIGHT + 13}" text-anchor="end">{escape(_short(ends[1], 16))}</text>'
        parts.append(last)
    return _figure(title, SMALL_WIDTH, SMALL_HEIGHT + 18, parts)


def _figure(title: str, width: int, height: float, parts: Sequence[str]) -> str:
    head = f'<svg viewBox="0 0 {width} {height:.0f}" width="{width}" height="{height:.0f}" role="img"'
    label = escape(title)
    return f'<figure>{head} aria-label="{label}">{"".join(parts)}</svg><figcaption>{label}</figcaption></figure>'


def _place(x: float, y: float) -> Point:
    return MARGIN + x * SIZE, MARGIN + (1 - y) * SIZE


def _path(points: Sequence[Point]) -> str:
    places = [_place(*point) for point in points]
    return "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in places) if places else ""


def _short(text: str, length: int = 24) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
