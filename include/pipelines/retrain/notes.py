"""What a retrain run says in its note (the version, its AUC, the decision, and why), and the pages that it links to."""

from __future__ import annotations

from collections.abc import Mapping

from include.pipelines.process.choose_days import ChosenDays
from include.pipelines.process.notes import chosen as chosen_days
from include.pipelines.promotion.packages import APPROVED, NONE, PENDING, PROMOTED, Package
from include.pipelines.retrain.missing import missing_sentence
from include.pipelines.retrain.plan import DatasetPlan

__all__ = ["PAGES", "chosen", "pages", "planned", "registered", "with_card"]

PAGES = CARD, DECISION = "Model card", "Decision"

_NEXT = {APPROVED: "It is approved.", PENDING: "It waits for a person's approval."}


def chosen(days: ChosenDays, tuning: str) -> str:
    """The day that a run is for, and what it tunes."""
    return f"{chosen_days(days)} {tuning}".strip()


def planned(plan: DatasetPlan) -> str:
    """The days that the data set leaves out; empty if there is none."""
    return missing_sentence(plan["missing_days"])


def registered(package: Package, reason: str) -> str:
    """Returns the outcome of a run in sentences.

    Args:
        package: The version that was registered.
        reason: Why it was not promoted, or registered before.
    """
    promoted = package.metadata["decision"] == PROMOTED
    after = "It is backfilled, so it is not deployed." if package.backfilled else _NEXT.get(package.status, "")
    texts = [f"Version {package.version} is {'' if promoted else 'not '}promoted: {_auc(package)}.", reason]
    return " ".join(text for text in [*texts, after if promoted else ""] if text)


def pages(package: Package) -> dict[str, str]:
    """The model card, if the version has one, and the decision with its reasons."""
    metadata = package.metadata
    card = {CARD: metadata["card_uri"]} if "card_uri" in metadata else {}
    return {**card, DECISION: metadata["decision_uri"]}


def with_card(urls: Mapping[str, str], package: Mapping[str, object], next_step: str) -> str:
    """The outcome, what comes next, and the address of the model card if a console shows it."""
    outcome = f"{package['note']} {next_step}"
    return f"{outcome} Model card: {urls[CARD]}" if CARD in urls else outcome


def _auc(package: Package) -> str:
    """The AUC, beside the champion's on the same test set."""
    metadata = package.metadata
    auc, difference = _number(metadata["auc"]), _number(metadata["auc_difference"])
    own = f"AUC {metadata['auc'] if auc is None else f'{auc:.4f}'}"
    if metadata["champion"] == NONE:
        return f"{own}, with no version to compare with"
    if auc is None or difference is None:
        return f"{own}, compared with version {metadata['champion']}"
    return f"{own} against {auc - difference:.4f} of version {metadata['champion']}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
