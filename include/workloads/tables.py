"""The published tables of a workload as the catalog holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.lake import layout
from include.workloads import schema

if TYPE_CHECKING:
    from include.workloads.declaration import Workload


def published_tables(workload: Workload, lake: str) -> dict[str, dict[str, Any]]:
    """Table → ``columns``, ``location``, and the location of a ``partition`` with places for ``{run}`` and ``{day}``.

    :param lake: URI of the lake bucket, ending in a slash.
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
