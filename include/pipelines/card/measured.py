"""How well a version does: metrics and curves, against its champion, and by slice."""

from __future__ import annotations

from typing import Literal

from include.model.evaluation import ModelEvaluation, SliceMetrics
from include.pipelines.card.facts import CardFacts
from include.pipelines.card.markup import Cell, between, decimals, figures, paragraph, percent, section, signed, table
from include.pipelines.card.plots import Range, curves, ranges
from include.workloads.training import SliceSpec

_Metric = Literal["auc", "average_precision", "log_loss", "brier", "accuracy", "positive_rate", "predicted_rate"]
METRICS: dict[_Metric, str] = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "accuracy": "Accuracy",
    "positive_rate": "Share with label 1",
    "predicted_rate": "Share predicted 1",
}


def metrics_section(card: CardFacts) -> str:
    """Metrics with intervals, and the curves."""
    models, settings = card.models, card.evaluation["bootstrap"]
    head = ["metric"] + [name for role in models for name in (role, f"{role}, 95 % interval")]
    rows: list[list[Cell]] = [[title, *_measured(models, name)] for name, title in METRICS.items()]
    note = (
        f"On {card.evaluation['candidate']['rows']:,} test rows. Intervals are 95 % percentile intervals of "
        f"{settings['resamples']:,} paired bootstrap resamples, seed {settings['seed']}."
    )
    brier = ", ".join(f"{role} {decimals(model['brier'])}" for role, model in models.items())
    drawings = [
        curves(
            "ROC curve",
            ("false positive rate", "true positive rate"),
            {role: model["roc"] for role, model in models.items()},
            diagonal=True,
        ),
        curves(
            "Precision and recall",
            ("recall", "precision"),
            {role: model["precision_recall"] for role, model in models.items()},
            diagonal=False,
        ),
        curves(
            f"Calibration (Brier score: {brier})",
            ("predicted probability", "observed rate"),
            {
                role: [(one["predicted"], one["observed"]) for one in model["calibration"]]
                for role, model in models.items()
            },
            diagonal=True,
        ),
    ]
    return section("metrics", "Metrics", paragraph(note), table("Metrics", head, rows), figures(*drawings))


def comparison_section(card: CardFacts) -> str:
    """Champion against challenger, on the same rows."""
    difference, champion = card.evaluation["difference"], card.evaluation["champion"]
    if difference is None or champion is None:
        text = "There was no champion: the bar and the slices decided."
        return section("comparison", "Champion against challenger", paragraph(text))
    quality, version = card.workload.quality, card.package.metadata["champion"]
    sentence = (
        f"Candidate minus champion (version {version}) is {signed(difference['auc'])} in AUC, 95 % interval "
        f"{signed(difference['low'])} to {signed(difference['high'])}. A candidate is promoted if the lower bound is "
        f"above {-quality.margin:+.4f}."
    )
    row = Range("candidate − champion", "candidate", difference["auc"], difference["low"], difference["high"])
    drawing = ranges("Difference in AUC with its 95 % interval; dashed: no difference", [row], guide=0.0)
    return section("comparison", "Champion against challenger", paragraph(sentence), figures(drawing))


def slices_section(card: CardFacts) -> str:
    """The AUC by each declared field."""
    return section("slices", "Slices", *(_slices(card, spec) for spec in card.workload.quality.slices))


def _slices(card: CardFacts, spec: SliceSpec) -> str:
    models, candidate = card.models, card.evaluation["candidate"]
    measured = candidate["slices"].get(spec.field, {})
    skipped = candidate["slices_not_measured"].get(spec.field, {})
    head = [spec.field, "rows", "share with label 1"] + [n for role in models for n in (role, f"{role}, 95 % interval")]
    rows: list[list[Cell]] = []
    drawn: list[Range] = []
    for value, found in measured.items():
        by_role = {role: model["slices"].get(spec.field, {}).get(value) for role, model in models.items()}
        cells = [text for entry in by_role.values() for text in _auc(entry)]
        rows.append([value, found["rows"], percent(found["positive_rate"]), *cells])
        drawn += [
            Range(value if role == "candidate" else "", role, entry["auc"], entry["auc_low"], entry["auc_high"])
            for role, entry in by_role.items()
            if entry is not None
        ]
    rows += [[value, reason, *[""] * (len(head) - 2)] for value, reason in skipped.items()]
    rule = f"A value may be {spec.margin:.2f} worse; values with fewer than {spec.minimum} rows are not compared."
    legend = ", candidate (solid) and champion (dashed, hollow)" if len(models) > 1 else ""
    drawing = ranges(f"AUC by {spec.field} with 95 % intervals{legend}", drawn)
    title = f"By {spec.field}"
    return section(f"slice-{spec.field}", title, paragraph(rule), table(title, head, rows), figures(drawing))


def _measured(models: dict[str, ModelEvaluation], name: _Metric) -> list[Cell]:
    cells: list[Cell] = []
    for model in models.values():
        low, high = (model["auc_low"], model["auc_high"]) if name == "auc" else _interval(model, name)
        cells += [decimals(model[name]), between(low, high)]
    return cells


def _interval(model: ModelEvaluation, name: str) -> tuple[float | None, float | None]:
    found = model["intervals"].get(name)
    return (None, None) if found is None else (found["low"], found["high"])


def _auc(entry: SliceMetrics | None) -> tuple[str, str]:
    return ("", "") if entry is None else (decimals(entry["auc"]), between(entry["auc_low"], entry["auc_high"]))
