"""The plots of the page of all nights, as SVG: AUC by night, and seconds by night. They need no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from html import escape
from typing import NamedTuple

from infra.laptop.night_log import NightRecord

WIDTH, LEFT, TOP, BELOW = 1000, 60, 26, 24
AUC_HEIGHT, SECONDS_HEIGHT = 240, 90
CANDIDATE, CHAMPION = "light-dark(#1f5fc4, #7fb0ff)", "light-dark(#767676, #9a9a9a)"
BAD = "light-dark(#b3261e, #ff8a80)"
LABELS = 6  # dates below a plot, at most


class _Scale(NamedTuple):
    """Places of nights and values in a plot."""

    first: date
    days: int
    low: float
    high: float
    height: int

    def x(self, day: date) -> float:
        return LEFT + WIDTH * ((day - self.first).days + 0.5) / self.days

    def y(self, value: float) -> float:
        return TOP + self.height * (self.high - value) / (self.high - self.low)


def auc_plot(workload: str, nights: Sequence[NightRecord]) -> str:
    """AUC of candidate and champion; a night without a version is a cross at the lower edge. Empty without two AUCs."""
    known = [auc for night in nights for auc in (night.auc, night.champion_auc) if auc is not None]
    if len(known) < 2:
        return ""
    scale = _scale(nights, min(known) - 0.005, max(known) + 0.005, AUC_HEIGHT)
    middle = (scale.low + scale.high) / 2
    parts = [*_axes(scale, (scale.low, middle, scale.high), lambda value: f"{value:.3f}")]
    champions = [(night.day, night.champion_auc) for night in nights if night.champion_auc is not None]
    candidates = [(night.day, night.auc) for night in nights if night.auc is not None]
    parts += [
        _line(scale, champions, CHAMPION, 0, "champion (dashed)"),
        _line(scale, candidates, CANDIDATE, 1, "candidate"),
    ]
    for night in nights:
        if night.auc is None:
            left, top = scale.x(night.day), TOP + scale.height
            parts.append(_dot(left, top, "none", BAD, f"{night.day}: {night.status}"))
            parts.append(f'<path d="M{left - 6:.1f},{top - 6} l12,12 m-12,0 l12,-12" style="stroke: {BAD}"/>')
            continue
        fill = CANDIDATE if night.decision == "promoted" else "Canvas"
        text = f"{night.day}: version {night.version}, {night.decision}, AUC {night.auc:.4f}"
        parts.append(_dot(scale.x(night.day), scale.y(night.auc), fill, CANDIDATE, text))
    label = f"{workload}: AUC by night. A filled dot: promoted; a hollow one: not promoted; a cross: no version."
    return _figure(parts, scale, label)


def seconds_plot(workload: str, nights: Sequence[NightRecord]) -> str:
    """How long each night took. Empty for a single night."""
    if len(nights) < 2:
        return ""
    longest = max(night.seconds for night in nights) or 1.0
    scale = _scale(nights, 0.0, longest, SECONDS_HEIGHT)
    parts = [*_axes(scale, (0.0, longest), lambda value: f"{value:.0f} s")]
    wide = max(1.0, 0.7 * WIDTH / scale.days)
    for night in nights:
        top = scale.y(night.seconds)
        style = f"fill: {CHAMPION}" if night.status == "done" else f"fill: none; stroke: {BAD}; stroke-width: 2"
        place = f'x="{scale.x(night.day) - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}"'
        height = TOP + scale.height - top
        title = f"<title>{escape(f'{night.day}: {night.seconds:.0f} s, {night.status}')}</title>"
        parts.append(f'<rect {place} height="{height:.1f}" style="{style}">{title}</rect>')
    return _figure(parts, scale, f"{workload}: seconds by night, to the end of the deploy. A hollow bar: not done.")


def _scale(nights: Sequence[NightRecord], low: float, high: float, height: int) -> _Scale:
    return _Scale(nights[0].day, (nights[-1].day - nights[0].day).days + 1, low, high, height)


def _axes(scale: _Scale, values: Iterable[float], text: Callable[[float], str]) -> Iterable[str]:
    """A line and a number for each value, and dates below."""
    for value in values:
        top = scale.y(value)
        ends = f'x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{top:.1f}" y2="{top:.1f}"'
        yield f'<line {ends} stroke="currentColor" opacity=".2"/>'
        yield _text(LEFT - 8, top + 4, text(value), "end")
    for offset in range(0, scale.days, -(-scale.days // LABELS)):
        day = scale.first + timedelta(days=offset)
        yield _text(scale.x(day), TOP + scale.height + 18, str(day), "middle")


def _line(scale: _Scale, points: Iterable[tuple[date, float]], colour: str, place: int, name: str) -> str:
    line = " ".join(f"{scale.x(day):.1f},{scale.y(auc):.1f}" for day, auc in points)
    dashes = ' stroke-dasharray="6 3"' if place == 0 else ""
    drawn = f'<polyline points="{line}" fill="none" stroke-width="1.5"{dashes} style="stroke: {colour}"/>'
    return drawn + _text(LEFT + 130 * place, 14, name, "start", colour)


def _dot(left: float, top: float, fill: str, stroke: str, text: str) -> str:
    title, style = f"<title>{escape(text)}</title>", f"fill: {fill}; stroke: {stroke}"
    return f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3.5" stroke-width="1.5" style="{style}">{title}</circle>'


def _text(left: float, top: float, text: str, anchor: str, colour: str = "currentColor") -> str:
    place = f'x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="12" style="fill: {colour}">{escape(text)}</text>'


def _figure(parts: Iterable[str], scale: _Scale, label: str) -> str:
    size = f"0 0 {LEFT + WIDTH + 20} {TOP + scale.height + BELOW}"
    return (
        f'<figure><svg viewBox="{size}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
        f"<figcaption>{escape(label)}</figcaption></figure>"
    )
