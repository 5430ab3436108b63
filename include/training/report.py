"""``evaluation.html``: one self-contained page (inline SVG, no script, nothing fetched)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from include.training.metrics import roc_points

SIZE = 260
MARGIN = 36
COLOURS = {"candidate": "#0b6bcb", "champion": "#c2410c"}
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1f24}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{padding:.25rem .8rem;text-align:right;border-bottom:1px solid #d8dce2}
th:first-child,td:first-child{text-align:left}.plots{display:flex;flex-wrap:wrap;gap:1.5rem}figcaption{font-size:.9rem}
code{font-size:.85rem;overflow-wrap:anywhere}"""
METRICS = ("auc", "auc_low", "auc_high", "log_loss", "brier", "accuracy", "positive_rate", "predicted_rate")


def page(evaluation: Mapping[str, Any], labels: np.ndarray, scored: Mapping[str, np.ndarray]) -> str:
    """The page of one evaluation; ``scored`` holds probabilities (rows,) by who gave them."""
    who = list(scored)
    roc = {name: roc_points(labels, probabilities) for name, probabilities in scored.items()}
    curve = {name: [(bin_["predicted"], bin_["observed"]) for bin_ in evaluation[name]["calibration"]] for name in who}
    title = f"Evaluation of {evaluation['workload']}, data up to {evaluation['cutoff']}"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>{evaluation["candidate"]["rows"]} test rows. Intervals are 95 % percentile intervals of {evaluation["bootstrap"]["resamples"]}
paired bootstrap resamples, seed {evaluation["bootstrap"]["seed"]}.<br>
Bundle <code>{escape(evaluation["bundle_digest"])}</code><br>Data set <code>{escape(evaluation["dataset_version"])}</code></p>
{_difference(evaluation)}
<h2>Metrics</h2>
{_table(["metric", *who], [[name, *(_number(evaluation[one][name]) for one in who)] for name in METRICS])}
<div class="plots">
{_plot("ROC: true positives against false positives", roc)}
{_plot("Calibration: observed rate against predicted probability", curve)}
</div>
<h2>AUC by {escape(str(evaluation["slice"]))}</h2>
{_table([str(evaluation["slice"]), "rows", "positive rate", *who], _slice_rows(evaluation, who))}
</body></html>
"""


def _difference(evaluation: Mapping[str, Any]) -> str:
    difference = evaluation["difference"]
    if difference is None:
        return "<p>There is no champion to compare with.</p>"
    low, high = _number(difference["low"]), _number(difference["high"])
    return f"<p>Candidate minus champion: <b>{_number(difference['auc'])}</b> in AUC, interval {low} to {high}.</p>"


def _slice_rows(evaluation: Mapping[str, Any], who: Sequence[str]) -> list[list[str]]:
    rows = []
    for value, entry in evaluation["candidate"]["slices"].items():
        aucs = [_number(evaluation[one]["slices"][value]["auc"]) for one in who]
        rows.append([value, str(entry["rows"]), _number(entry["positive_rate"]), *aucs])
    for value, reason in evaluation["candidate"]["slices_not_judged"].items():
        rows.append([value, reason, "", *["" for _ in who]])
    return rows


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def _plot(caption: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    full = SIZE + 2 * MARGIN
    parts = [
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{SIZE}" height="{SIZE}" fill="none" stroke="#8b929c"/>',
        f'<path d="{_path([(0, 0), (1, 1)])}" stroke="#b9bfc8" stroke-dasharray="4" fill="none"/>',
    ]
    for tick in (0, 0.5, 1):
        x, y = MARGIN + tick * SIZE, MARGIN + (1 - tick) * SIZE
        parts.append(f'<text x="{x:.0f}" y="{MARGIN + SIZE + 16}" font-size="11" text-anchor="middle">{tick:g}</text>')
        parts.append(f'<text x="{MARGIN - 6}" y="{y + 4:.0f}" font-size="11" text-anchor="end">{tick:g}</text>')
    for place, (name, points) in enumerate(lines.items()):
        colour = COLOURS[name]
        parts.append(f'<path d="{_path(points)}" stroke="{colour}" stroke-width="2" fill="none"/>')
        parts.append(
            f'<text x="{MARGIN + 8 + 90 * place}" y="{MARGIN - 8}" font-size="12" fill="{colour}">{name}</text>'
        )
    drawing = f'<svg width="{full}" height="{full}" role="img" aria-label="{escape(caption)}">{"".join(parts)}</svg>'
    return f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


def _path(points: Sequence[tuple[float, float]]) -> str:
    places = [f"{MARGIN + x * SIZE:.1f},{MARGIN + (1 - y) * SIZE:.1f}" for x, y in points]
    return "M" + " L".join(places) if places else ""


def _number(value: float | None) -> str:
    return "unreadable" if value is None or not np.isfinite(value) else f"{value:.4f}"
