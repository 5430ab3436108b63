"""Days of a data set's window that are not published: how many a workload tolerates, and how people are told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from include.errors import RefusedError
from include.lake import state_keys
from include.pipelines.listing import shortened
from include.pipelines.process.days import missing_reason
from include.pipelines.protocols import StateStore
from include.pipelines.retrain.window import window
from include.workloads import Workload


def missing_days(workload: Workload, cutoff: datetime, state: StateStore) -> dict[str, str]:
    """Finds the days of the window that are not published.

    A workload's history begins with the first day that was published or refused. Days before it are not missing: of a
    young workload, ``dataset.minimum_rows`` decides when there is enough to train on.

    Args:
        workload: The workload.
        cutoff: The cut-off of the data set.
        state: The state table.

    Returns:
        Day (ISO), in order → why it is missing.
    """
    items = state.query(state_keys.day_partition_key(workload.name))
    first = min((day for day, item in items.items() if item["status"] != "empty"), default=None)
    if first is None:
        return {}
    found = {day.isoformat(): items.get(day.isoformat()) for day in window(workload, cutoff)}
    return {
        day: missing_reason(item)
        for day, item in found.items()
        if day >= first and (item or {}).get("status") != "published"
    }


def require_few_missing(workload: Workload, missing: Mapping[str, str]) -> None:
    """Checks that no more days are missing than ``dataset.missing_days``.

    Raises:
        RefusedError: More are.
    """
    allowed = workload.dataset.missing_days
    if len(missing) > allowed:
        listed = "\n".join(f"  {text}" for text in shortened(_texts(missing), "days"))
        raise RefusedError(
            f"Days missing in the data set's window: {len(missing)}; dataset.missing_days of {workload.name} allows "
            f"{allowed}:\n{listed}\n"
            f"Ingest and process them ({workload.name}_process with date set to them, or a backfill), then clear the "
            "task plan. If they will never be published, allow them in workload.yaml."
        )


def missing_sentence(missing: Mapping[str, str]) -> str:
    """Says which days a data set leaves out; empty if none."""
    if not missing:
        return ""
    return f"Trained without days of its window: {'; '.join(shortened(_texts(missing), 'days'))}."


def _texts(missing: Mapping[str, str]) -> list[str]:
    return [f"{day} {reason}" for day, reason in missing.items()]
