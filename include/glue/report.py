"""The transform's report: what happened to every row. The audit and the gate read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TypedDict

from include.workloads import Workload

MAX_REASONS = 50


class EventCounts(TypedDict):
    """Rows of one event type on one day: read = written + duplicates + quarantined."""

    read: int
    duplicates: int
    quarantined: int
    written: int


class TableCounts(TypedDict):
    """Versions of a reference table's rows."""

    read: int
    quarantined: int


class ReportDocument(TypedDict):
    """``report.json``: counts by day and event type, counts by table, and the most frequent reasons."""

    days: dict[str, dict[str, EventCounts]]
    tables: dict[str, TableCounts]
    reasons: dict[str, dict[str, dict[str, int]]]


class TransformReport:
    """Counts rows.

    Args:
        days: The days of the run.
        workload: The workload.
    """

    def __init__(self, days: Iterable[date], workload: Workload) -> None:
        self._counts = {day.isoformat(): {name: _zeros() for name in workload.events} for day in days}
        self._reasons: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        self._tables: dict[str, TableCounts] = {}

    def count_events(self, day: str, event_type: str, reason: str | None, rows: int, duplicates: int) -> None:
        """Counts events that were read.

        Args:
            day: Their day.
            event_type: Their type.
            reason: Why they were refused; None if they are good.
            rows: How many they are, duplicates included.
            duplicates: How many of them repeat an earlier one.
        """
        counts = self._counts[day].setdefault(event_type, _zeros())
        counts["read"] += rows
        counts["duplicates"] += duplicates
        if reason is None:
            counts["written"] += rows - duplicates
        else:
            counts["quarantined"] += rows
            self._reasons[day][event_type][reason] = rows

    def count_table(self, table: str, read: int, quarantined: int) -> None:
        """Counts the versions of a reference table's rows."""
        self._tables[table] = {"read": read, "quarantined": quarantined}

    def totals(self) -> dict[str, EventCounts]:
        """Returns the counts over all days, by event type."""
        sums: dict[str, EventCounts] = defaultdict(_zeros)
        for event_types in self._counts.values():
            for event_type, counts in event_types.items():
                total = sums[event_type]
                sums[event_type] = {
                    "read": total["read"] + counts["read"],
                    "duplicates": total["duplicates"] + counts["duplicates"],
                    "quarantined": total["quarantined"] + counts["quarantined"],
                    "written": total["written"] + counts["written"],
                }
        return dict(sums)

    def table_counts(self, table: str) -> TableCounts:
        """Returns the counts of one reference table."""
        return self._tables[table]

    def document(self) -> ReportDocument:
        """Returns the content of report.json."""
        reasons = {
            day: {
                event_type: dict(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MAX_REASONS])
                for event_type, found in event_types.items()
            }
            for day, event_types in self._reasons.items()
        }
        return {"days": self._counts, "tables": self._tables, "reasons": reasons}


def _zeros() -> EventCounts:
    return {"read": 0, "duplicates": 0, "quarantined": 0, "written": 0}
