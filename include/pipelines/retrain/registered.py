"""What a retrain run has registered, and whether it is deployed without a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from include.pipelines.promotion.packages import APPROVED, Package
from include.pipelines.retrain import notes


class RegisteredPackage(TypedDict):
    """What the task ``register`` returns."""

    version: int
    arn: str
    status: str
    backfilled: bool
    deployable: bool
    """Whether the version may be deployed without a person: approved, and not backfilled."""
    reasons: str
    note: str
    """The outcome for the run's note."""
    pages: dict[str, str]
    """The pages that the task links to, each with its URI."""


def summarize(package: Package, reasons: Sequence[str], tuning: str = "") -> RegisteredPackage:
    """Returns what a run registered.

    Args:
        package: The version.
        reasons: Why it has its approval status, the weightiest first.
        tuning: What tuning found, in a sentence; empty where nothing was tuned.
    """
    return {
        "version": package.version,
        "arn": package.arn,
        "status": package.status,
        "backfilled": package.backfilled,
        "deployable": package.status == APPROVED and not package.backfilled,
        "reasons": " ".join(reasons),
        "note": f"{notes.registered(package, reasons[0])} {tuning}".strip(),
        "pages": notes.pages(package),
    }
