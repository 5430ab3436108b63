"""What a version is for, why it was promoted or refused, and what it is not good for."""

from __future__ import annotations

from collections.abc import Iterator

from include.model.evaluation import ModelDescription
from include.pipelines.card.facts import CardFacts
from include.pipelines.card.markup import Cell, code, decimals, facts, items, paragraph, section
from include.pipelines.promotion.packages import NONE, PROMOTED

LISTED = 12  # names in a sentence


def decision_section(card: CardFacts) -> str:
    """The decision and its reasons, the weightiest first."""
    metadata = card.package.metadata
    promoted = metadata["decision"] == PROMOTED
    champion = "no champion" if metadata["champion"] == NONE else f"version {metadata['champion']}"
    backfilled = "It was made by a backfill, so it is not deployed by itself." if card.package.backfilled else ""
    sentence = f"The candidate was {'promoted' if promoted else 'not promoted'}; it was compared with {champion}."
    return section("decision", "Decision", paragraph(sentence, backfilled), items(card.reasons))


def purpose_section(card: CardFacts) -> str:
    """What the model answers, of whom, and who answers for it."""
    workload, model = card.workload, card.evaluation["model"]
    label = workload.label
    entries: list[tuple[str, Cell]] = [
        ("Workload", workload.name),
        ("What for", workload.description),
        ("Owner", workload.owner),
        ("Label 1 means", label.description or f"{label.expression}, of the event {label.event}"),
        ("Label's expression", code(f"{label.event}: {label.expression}")),
        ("Answer", f"the probability of label 1; the prediction is 1 from {decimals(model['threshold'], 2)}"),
        ("Estimator", f"{model['kind']}, seed {model['seed']}{_device(model)}"),
        ("Hyperparameters", ", ".join(f"{name} {value}" for name, value in sorted(model["hyperparameters"].items()))),
        ("Features", f"{len(model['features'])}: {', '.join(model['features'])}"),
        ("Request fields", ", ".join(workload.request)),
    ]
    return section("purpose", "What it is for", facts("What it is for", entries))


def _device(model: ModelDescription) -> str:
    return f", trained on {model['device']}" if "device" in model else ""


def limits_section(card: CardFacts) -> str:
    """What the numbers do not say, and what the workload's owner says of it."""
    return section("limits", "Limits", items([*card.workload.limits, *_limits(card)]))


def _limits(card: CardFacts) -> Iterator[str]:
    evaluation = card.evaluation
    test = evaluation["dataset"]["splits"].get("test")
    if test:
        yield (
            f"It was measured on {test['rows']:,} rows of {test['first'][:10]} to {test['end'][:10]} (exclusive). "
            "What changed since then is not in these numbers."
        )
    yield "Rows whose label was not known by the cut-off are not in the data set."
    yield "A category that is not in the training data is treated as a missing value."
    for field, skipped in evaluation["candidate"]["slices_not_measured"].items():
        if skipped:
            names = [*skipped][:LISTED]
            more = f" and {len(skipped) - LISTED} more" if len(skipped) > LISTED else ""
            yield f"Values of {field} with too few rows to be measured: {', '.join(names)}{more}."
    if missing := evaluation["dataset"]["missing_days"]:
        yield f"{len(missing)} days of its window are missing from the data set."
    if evaluation["champion"] is None:
        yield "There was no champion, so nothing says whether it is better than what served before."
    yield "An interval says how much the test rows happened to be these, not how much the world changes."
