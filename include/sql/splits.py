"""Which days before a cut-off are train, validation and test: by event_time alone, so a key is in one split only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from include.lake.instants import format_instant
from include.lake.manifest import SplitBounds
from include.workloads.training import DatasetSpec


def split_bounds(dataset: DatasetSpec, cutoff: datetime) -> dict[str, tuple[datetime, datetime]]:
    """Returns the range of event_time of each split: start inclusive, end exclusive.

    Raises:
        ValueError: The cut-off is not midnight UTC, or has no time zone.
    """
    if cutoff.tzinfo is None or cutoff.astimezone(UTC).time().isoformat() != "00:00:00":
        raise ValueError(f"the cut-off {cutoff} is not midnight UTC: take include.lake.days.cutoff(day)")
    test = cutoff - timedelta(days=dataset.test_days)
    validation = test - timedelta(days=dataset.validation_days)
    train = validation - timedelta(days=dataset.train_days)
    return {"train": (train, validation), "validation": (validation, test), "test": (test, cutoff)}


def split_rule(dataset: DatasetSpec, cutoff: datetime) -> dict[str, SplitBounds]:
    """Returns the same bounds as text for a manifest: ``from`` inclusive, ``to`` exclusive."""
    bounds = split_bounds(dataset, cutoff)
    return {name: {"from": format_instant(start), "to": format_instant(end)} for name, (start, end) in bounds.items()}
