"""The published tables of a workload, as they are in the Glue catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.lake import layout
from include.workloads import schema

if TYPE_CHECKING:
    from include.workloads.declaration import Workload


def published_tables(workload: Workload, lake: str) -> dict[str, dict[str, Any]]:
    """Describes the catalog's tables of a workload.

    Args:
        workload: The workload.
        lake: URI of the lake bucket, with a slash at the end.

    Returns:
        For each table its ``columns``, its ``location``, and the location of a ``partition`` with the placeholders
        ``{run}`` and ``{day}``.
    """
    name = workload.name
    return {
        layout.table_name(name, event): {
            "columns": schema.processed_columns(workload, event),
            "location": lake + layout.staging_prefix(name, "none") + event,  # partitions have locations of their own
            "partition": lake + layout.partition_prefix(name, "{run}", event, "{day}"),
        }
        for event in workload.events
    }
