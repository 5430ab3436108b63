"""The page of all nights that the laptop made: a table and a plot for each workload. It works without a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from statistics import median

from include.glue.markup import page, table
from infra.laptop import night_log
from infra.laptop.config import LaptopConfig
from infra.laptop.night_log import NightRecord

WIDTH, HEIGHT, LEFT, TOP = 1000, 260, 60, 30
COLOURS = {"candidate": "#2f6fd0", "champion": "#8a8a8a"}
REFUSED = "#b3261e"
HEAD = ("night", "status", "version", "decision", "AUC", "champion's AUC", "seconds", "what came of it")


def write(config: LaptopConfig) -> Path:
    """Writes ``nights.html`` in the run folder, and returns its path."""
    title = "Nights"
    sections = [_section(name, nights) for name, nights in night_log.read(config).items()]
    target = config.state / "nights.html"
    target.write_text(page(title, f"<h1>{title}</h1>{''.join(sections) or '<p>No night was made yet.</p>'}"), "utf-8")
    return target


def _section(workload: str, nights: Sequence[NightRecord]) -> str:
    rows = [
        (
            night.day,
            night.status,
            night.version or "",
            night.decision or "",
            _auc(night.auc),
            _auc(night.champion_auc),
            round(night.seconds),
            night.outcome,
        )
        for night in nights
    ]
    return f"<h2>{escape(workload)}</h2><p>{escape(summary(nights))}</p>{_plot(workload, nights)}{table(HEAD, rows)}"


def summary(nights: Sequence[NightRecord]) -> str:
    """Says in a sentence what came of a row of nights."""
    counts = Counter(night.status for night in nights)
    decisions = Counter(night.decision for night in nights if night.decision)
    seconds = median(night.seconds for night in nights)
    return (
        f"{len(nights)} nights, {nights[0].day} to {nights[-1].day}: {counts['done']} done, "
        f"{counts['refused']} refused, {counts['failed']} failed; {decisions['promoted']} versions promoted, "
        f"{decisions['refused']} not; half of the nights took {seconds:.0f} s or less."
    )


def _plot(workload: str, nights: Sequence[NightRecord]) -> str:
    """AUC by night, as SVG. A night without a version is a mark at the lower edge."""
    known = [auc for night in nights for auc in (night.auc, night.champion_auc) if auc is not None]
    if len(known) < 2:
        return ""
    low, high = min(known) - 0.005, max(known) + 0.005

    def x(night: NightRecord) -> float:
        return LEFT + WIDTH * (night.day - nights[0].day).days / max(1, (nights[-1].day - nights[0].day).days)

    def y(auc: float) -> float:
        return TOP + HEIGHT * (high - auc) / (high - low)

    parts = [_axis(y(value), f"{value:.3f}") for value in (low, (low + high) / 2, high)]
    for index, (name, colour) in enumerate(COLOURS.items()):
        attribute = "auc" if name == "candidate" else "champion_auc"
        points = [(x(night), y(auc)) for night in nights if (auc := getattr(night, attribute)) is not None]
        line = " ".join(f"{left:.1f},{top:.1f}" for left, top in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<text x="{LEFT + 100 * index}" y="16" font-size="12" fill="{colour}">{name}</text>')
    for night in nights:
        if night.auc is not None:
            fill = COLOURS["candidate"] if night.decision == "promoted" else "none"
            text = f"{night.day}: version {night.version}, {night.decision}, AUC {_auc(night.auc)}"
            parts.append(_dot(x(night), y(night.auc), fill, COLOURS["candidate"], text))
        else:
            parts.append(_dot(x(night), TOP + HEIGHT, REFUSED, REFUSED, f"{night.day}: {night.status}"))
    label = f"AUC of candidate and champion of {workload} by night; a filled dot was promoted, a red one has no version"
    return (
        f'<figure><svg viewBox="0 0 {LEFT + WIDTH + 20} {TOP + HEIGHT + 20}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg><figcaption>{escape(label)}</figcaption></figure>"
    )


def _axis(top: float, text: str) -> str:
    line = f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{top:.1f}" y2="{top:.1f}" stroke="currentColor" opacity=".2"/>'
    place = f'x="{LEFT - 8}" y="{top + 4:.1f}" text-anchor="end"'
    return f'{line}<text {place} font-size="12" fill="currentColor">{text}</text>'


def _dot(left: float, top: float, fill: str, stroke: str, text: str) -> str:
    title = f"<title>{escape(text)}</title>"
    return f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3" fill="{fill}" stroke="{stroke}">{title}</circle>'


def _auc(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
