"""The page of all nights that the laptop made: figures, plots and a table for each workload. It needs no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from statistics import median
from threading import get_ident

from include.glue.markup import page, table, table_of
from infra.laptop import night_log
from infra.laptop.config import LaptopConfig
from infra.laptop.night_log import NightRecord
from infra.laptop.nights_plot import auc_plot, seconds_plot

HEAD = ("night", "result", "version", "AUC", "champion's AUC", "difference", "seconds", "what came of it, and why")
STYLE = (
    "<style>.nights th { overflow-wrap: normal; } "
    ".nights td:not(:last-child) { white-space: nowrap; } .figures table { width: auto; }</style>"
)


def write(config: LaptopConfig) -> Path:
    """Writes ``nights.html`` in the run folder, and returns its path."""
    title = "Nights"
    sections = [_section(name, nights) for name, nights in night_log.read(config).items()]
    target = config.state / "nights.html"
    partial = target.with_name(f"{target.name}.{get_ident()}")  # the workloads' nights end at the same time
    body = f"{STYLE}<h1>{title}</h1>{''.join(sections) or '<p>No night was made yet.</p>'}"
    partial.write_text(page(title, body), "utf-8")
    partial.replace(target)
    return target


def _section(workload: str, nights: Sequence[NightRecord]) -> str:
    plots = auc_plot(workload, nights) + seconds_plot(workload, nights)
    # The newest night first: it is what a person looks for.
    rows = map(_row, reversed(nights))
    listed = f'<div class="nights">{table_of(f"Nights of {workload}", HEAD, rows)}</div>'
    return f"<h2>{escape(workload)}</h2><p>{escape(summary(nights))}</p>{_figures(workload, nights)}{plots}{listed}"


def summary(nights: Sequence[NightRecord]) -> str:
    """Says in a sentence what came of a row of nights."""
    counts = Counter(night.status for night in nights)
    decisions = Counter(night.decision for night in nights if night.decision)
    return (
        f"{len(nights)} nights, {nights[0].day} to {nights[-1].day}: {counts['done']} done, "
        f"{counts['refused']} refused by a rule, {counts['failed']} failed; {decisions['promoted']} versions promoted, "
        f"{decisions['refused']} not."
    )


def _figures(workload: str, nights: Sequence[NightRecord]) -> str:
    aucs = [night.auc for night in nights if night.auc is not None]
    measured: list[tuple[str, list[float], Callable[[float], str]]] = [
        ("AUC of the night's version", aucs, _auc),
        ("seconds", [night.seconds for night in nights], lambda seconds: f"{seconds:.0f}"),
    ]
    rows = [
        (name, *(text(of(values)) for of in (min, median, max))) for name, values, text in measured if len(values) > 1
    ]
    listed = table(f"Figures of {workload}", ("figure", "smallest", "median", "largest"), rows)
    return f'<div class="figures">{listed}</div>' if rows else ""


def _row(night: NightRecord) -> str:
    result, colour = _result(night)
    difference = None if night.auc is None or night.champion_auc is None else night.auc - night.champion_auc
    cells: Iterable[tuple[str, str]] = (
        ("", str(night.day)),
        (colour, result),
        ("number", str(night.version or "")),
        ("number", _auc(night.auc)),
        ("number", _auc(night.champion_auc)),
        ("number", "" if difference is None else f"{difference:+.4f}"),
        ("number", f"{night.seconds:.0f}"),
        ("", ". ".join(filter(None, (night.outcome, night.reason)))),
    )
    return "".join(f'<td class="{name}">{escape(text)}</td>' for name, text in cells)


def _result(night: NightRecord) -> tuple[str, str]:
    """What a night's result is called, and the class of its colour (``include.glue.markup``)."""
    if night.status == "failed":
        return "failed", "failed"
    if night.status == "refused":
        return "refused by a rule", "refused"
    if night.decision is None:
        return night.status, ""
    return ("promoted", "passed") if night.decision == "promoted" else ("not promoted", "warning")


def _auc(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
