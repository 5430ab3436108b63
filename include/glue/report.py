"""What the transform did with every row: the report that the audit and the gate read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from include.workloads import Workload

MOST_REASONS = 50


class Report:
    """Counts by day and event type, and the commonest reasons. Each ``count_…`` runs one Spark action."""

    def __init__(self, days: Iterable[date], workload: Workload) -> None:
        self._counts = {day.isoformat(): {name: _zeros() for name in workload.events} for day in days}
        self._reasons: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        self._tables: dict[str, dict[str, int]] = {}

    def count_events(self, events: DataFrame) -> None:
        """``event_date, event_type, reason, duplicate`` of every event read."""
        sums = events.groupBy("event_date", "event_type", "reason").agg(
            F.count("*").alias("n"), F.count_if("duplicate").alias("duplicates")
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
        """Rows whose features failed, which were counted as written before. Whether there are any."""
        failed = frame.where("_reason is not null").groupBy("event_date", "_reason").count().collect()
        for row in failed:
            counts = self._counts[row["event_date"]][event_type]
            counts["written"] -= row["count"]
            counts["quarantined"] += row["count"]
            self._reasons[row["event_date"]][event_type][row["_reason"]] = row["count"]
        return bool(failed)

    def count_table(self, table: str, rows: DataFrame) -> bool:
        """Versions of a reference table. Whether any were refused."""
        read, refused = rows.agg(F.count("*"), F.count("reason")).first()
        self._tables[table] = {"read": read, "quarantined": refused}
        return refused > 0

    @property
    def any_quarantined(self) -> bool:
        """Whether an event has been refused so far."""
        return bool(self._reasons)

    def written(self, event_type: str) -> dict[str, int]:
        """The rows written, by day."""
        return {day: counts[event_type]["written"] for day, counts in self._counts.items()}

    def totals(self) -> dict[str, dict[str, int]]:
        """The counts of all days together, by event type."""
        sums: dict[str, dict[str, int]] = defaultdict(_zeros)
        for kinds in self._counts.values():
            for kind, counts in kinds.items():
                for name, count in counts.items():
                    sums[kind][name] += count
        return dict(sums)

    def document(self) -> dict:
        """report.json."""
        reasons = {
            day: {
                kind: dict(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST_REASONS])
                for kind, found in kinds.items()
            }
            for day, kinds in self._reasons.items()
        }
        return {"days": self._counts, "tables": self._tables, "reasons": reasons}


def _zeros() -> dict[str, int]:
    return {"read": 0, "duplicates": 0, "quarantined": 0, "written": 0}
