"""The transform's report: what happened to every row. The audit and the gate read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import TypedDict

from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from include.glue.featuring import REASON_COLUMN
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
    """Counts rows. Each ``count_…`` runs one Spark action.

    Args:
        days: The days of the run.
        workload: The workload.
    """

    def __init__(self, days: Iterable[date], workload: Workload) -> None:
        self._counts = {day.isoformat(): {name: _zeros() for name in workload.events} for day in days}
        self._reasons: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        self._tables: dict[str, TableCounts] = {}

    def count_events(self, events: DataFrame) -> None:
        """Counts every event that was read.

        Args:
            events: Columns ``event_date``, ``event_type``, ``reason`` and ``duplicate``.
        """
        sums = events.groupBy("event_date", "event_type", "reason").agg(
            sf.count("*").alias("n"), sf.count_if("duplicate").alias("duplicates")
        )
        for row in sums.collect():
            counts = self._counts[row["event_date"]].setdefault(row["event_type"], _zeros())
            counts["read"] += row["n"]
            counts["duplicates"] += row["duplicates"]
            if row["reason"] is None:
                counts["written"] += row["n"] - row["duplicates"]
            else:
                counts["quarantined"] += row["n"]
                self._reasons[row["event_date"]][row["event_type"]][row["reason"]] = row["n"]

    def count_failed_features(self, event_type: str, frame: DataFrame) -> bool:
        """Counts rows without features as quarantined; :meth:`count_events` has counted them as written.

        Args:
            event_type: The feature event.
            frame: Columns ``event_date`` and ``_reason``.

        Returns:
            Whether there are such rows.
        """
        refused = frame.where(sf.col(REASON_COLUMN).isNotNull())
        failed = refused.groupBy("event_date", REASON_COLUMN).agg(sf.count("*").alias("n")).collect()
        for row in failed:
            counts = self._counts[row["event_date"]][event_type]
            counts["written"] -= row["n"]
            counts["quarantined"] += row["n"]
            self._reasons[row["event_date"]][event_type][row[REASON_COLUMN]] = row["n"]
        return bool(failed)

    def count_table(self, table: str, rows: DataFrame) -> bool:
        """Counts the versions of a reference table's rows.

        Args:
            table: Name of the table.
            rows: Column ``reason``, besides others.

        Returns:
            Whether any were refused.
        """
        ((read, quarantined),) = rows.agg(sf.count("*"), sf.count("reason")).collect()
        self._tables[table] = {"read": read, "quarantined": quarantined}
        return quarantined > 0

    @property
    def any_quarantined(self) -> bool:
        """Whether an event has been refused so far."""
        return bool(self._reasons)

    def written(self, event_type: str) -> dict[str, int]:
        """Returns the number of rows written, by day."""
        return {day: counts[event_type]["written"] for day, counts in self._counts.items()}

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
