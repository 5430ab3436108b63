"""``evaluation.html``: one self-contained page (inline SVG, no script, nothing loaded from elsewhere)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal

import numpy as np

from include.model.evaluation import Evaluation, ModelEvaluation
from include.training.metrics import roc_points

SIZE = 260
MARGIN = 36
COLOURS = {"candidate": "#0b6bcb", "champion": "#c2410c"}
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1f24}\n"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}"
    "th,td{padding:.25rem .8rem;text-align:right;border-bottom:1px solid #d8dce2}\n"
    "th:first-child,td:first-child{text-align:left}"
    ".plots{display:flex;flex-wrap:wrap;gap:1.5rem}figcaption{font-size:.9rem}\n"
    "code{font-size:.85rem;overflow-wrap:anywhere}"
)
Metric = Literal["auc", "auc_low", "auc_high", "log_loss", "brier", "accuracy", "positive_rate", "predicted_rate"]
METRICS: tuple[Metric, ...] = (
    "auc",
    "auc_low",
    "auc_high",
    "log_loss",
    "brier",
    "accuracy",
    "positive_rate",
    "predicted_rate",
)


def page(
    evaluation: Evaluation, labels: np.ndarray, scored: Mapping[str, np.ndarray], missing_days: Mapping[str, str]
) -> str:
    """Renders the page of one evaluation.

    Args:
        evaluation: The evaluation.
        labels: int8 array of shape (rows,).
        scored: Probabilities of label 1, float64 arrays of shape (rows,), of ``candidate`` and, if there is one,
            ``champion``.
        missing_days: Day that the data set leaves out → why.
    """
    models = {"candidate": evaluation["candidate"]}
    if evaluation["champion"] is not None:
        models["champion"] = evaluation["champion"]
    roc = {role: roc_points(labels, probabilities) for role, probabilities in scored.items()}
    curve = {role: [(bin_["predicted"], bin_["observed"]) for bin_ in m["calibration"]] for role, m in models.items()}
    title = f"Evaluation of {evaluation['workload']}, data up to {evaluation['cutoff']}"
    bundle, dataset = escape(evaluation["bundle_digest"]), escape(evaluation["dataset_version"])
    settings = evaluation["bootstrap"]
    metrics = [[name, *(_number(model[name]) for model in models.values())] for name in METRICS]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>{evaluation["candidate"]["rows"]} test rows. Intervals are 95 % percentile intervals of {settings["resamples"]}
paired bootstrap resamples, seed {settings["seed"]}.<br>
Bundle <code>{bundle}</code><br>Data set <code>{dataset}</code></p>
{_missing(missing_days)}{_difference(evaluation)}
<h2>Metrics</h2>
{_table(["metric", *models], metrics)}
<div class="plots">
{_plot("ROC: true positives against false positives", roc)}
{_plot("Calibration: observed rate against predicted probability", curve)}
</div>
<h2>AUC by {escape(evaluation["slice"])}</h2>
{_table([evaluation["slice"], "rows", "positive rate", *models], _slice_rows(models))}
</body></html>
"""


def _difference(evaluation: Evaluation) -> str:
    difference = evaluation["difference"]
    if difference is None:
        return "<p>There is no champion to compare with.</p>"
    low, high = _number(difference["low"]), _number(difference["high"])
    return f"<p>Candidate minus champion: <b>{_number(difference['auc'])}</b> in AUC, interval {low} to {high}.</p>"


def _missing(days: Mapping[str, str]) -> str:
    if not days:
        return ""
    return f"<h2>Days that the data set leaves out</h2>\n{_table(['day', 'why'], [[*day] for day in days.items()])}\n"


def _slice_rows(models: Mapping[str, ModelEvaluation]) -> list[list[str]]:
    rows = []
    candidate = models["candidate"]
    for value, entry in candidate["slices"].items():
        aucs = [_number(model["slices"][value]["auc"]) for model in models.values()]
        rows.append([value, str(entry["rows"]), _number(entry["positive_rate"]), *aucs])
    for value, reason in candidate["slices_not_measured"].items():
        rows.append([value, reason, "", *["" for _ in models]])
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
    for index, (name, points) in enumerate(lines.items()):
        colour = COLOURS[name]
        parts.append(f'<path d="{_path(points)}" stroke="{colour}" stroke-width="2" fill="none"/>')
        parts.append(
            f'<text x="{MARGIN + 8 + 90 * index}" y="{MARGIN - 8}" font-size="12" fill="{colour}">{name}</text>'
        )
    drawing = f'<svg width="{full}" height="{full}" role="img" aria-label="{escape(caption)}">{"".join(parts)}</svg>'
    return f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


def _path(points: Sequence[tuple[float, float]]) -> str:
    texts = [f"{MARGIN + x * SIZE:.1f},{MARGIN + (1 - y) * SIZE:.1f}" for x, y in points]
    return "M" + " L".join(texts) if texts else ""


def _number(value: float | None) -> str:
    return "n/a" if value is None or not np.isfinite(value) else f"{value:.4f}"
