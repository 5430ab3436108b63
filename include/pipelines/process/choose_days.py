"""The first step of a process or retrain run: which days it is for, and whether there are data to work on.

A run that waits for data holds a slot for hours. So a run that a person triggered is refused here if its days cannot be
ready, instead of waiting for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypedDict

from include.errors import UserError
from include.lake import state_keys
from include.lake.days import cutoff, utc_date
from include.lake.instants import format_instant, parse_instant
from include.pipelines.markers import marked
from include.pipelines.protocols import ObjectStore, StateStore
from include.pipelines.rundate import RunTimes, is_manual, last_complete_day, require_ended, run_days
from include.settings import Settings
from include.workloads import Workload

# Which day a manual run without a date is for, by the setting default_day. The DAGs' forms show it.
TO_PROCESS = {
    "last_complete": "yesterday (UTC), the last complete day",
    "next": "the day after the last one processed",
}
TO_TRAIN_FOR = {"last_complete": TO_PROCESS["last_complete"], "next": "the newest published day"}

INGEST_FIRST = "Run the ingest DAGs for it first, or set date to another day."


class ChosenDays(TypedDict):
    """What the first task of a process or retrain run returns."""

    days: list[str]
    """In order, like 2013-03-01."""
    last: str
    """The last of them."""
    cutoff: str
    """The end of the last day, ISO 8601 UTC."""


@dataclass(frozen=True)
class DayChoice:
    """Chooses the days of a workload's runs.

    Attributes:
        workload: The workload.
        settings: The DAGs' settings. ``default_day`` says which day a manual run without a date is for.
        present: The present.
        objects: S3.
        state: The state table.
    """

    workload: Workload
    settings: Settings
    present: datetime
    objects: ObjectStore
    state: StateStore

    def to_process(self, run: RunTimes, params: Mapping[str, Any]) -> ChosenDays:
        """Returns the days that a process run is for.

        Raises:
            UserError: The Params are wrong, or a manual run's days have not ended or have no raw data.
        """
        days = run_days(run, params, self._default(self._next_day), self.workload.schedule.zone)
        if is_manual(run):
            require_ended(days[-1], self.present)
            self._require_raw(days)
        return _chosen(days)

    def to_train_for(self, run: RunTimes, params: Mapping[str, Any]) -> ChosenDays:
        """Returns the day that a retrain run is for: the last of its days.

        Raises:
            UserError: The Param is wrong, or a manual run's day has not ended, or is neither processed nor in raw.
        """
        day = run_days(run, params, self._default(self._newest_published), self.workload.schedule.zone)[-1]
        if is_manual(run):
            require_ended(day, self.present)
            if day.isoformat() not in self._items():
                self._require_raw([day])
        return _chosen([day])

    def _default(self, next_day: Callable[[], date]) -> Callable[[], date]:
        return next_day if self.settings.default_day == "next" else lambda: last_complete_day(self.present)

    def _next_day(self) -> date:
        """The day after the last one processed; the last one complete in raw if none was."""
        watermark, items = self._watermark(), self._items()
        if watermark is None:
            raise UserError("No day has been processed, and there is no raw data. Run the ingest DAGs, or set date.")
        if not items:
            return utc_date(watermark) - timedelta(days=1)
        day = date.fromisoformat(max(items)) + timedelta(days=1)
        if watermark < cutoff(day):  # nobody asked for this day, so the run does not wait for it
            complete = format_instant(watermark)
            raise UserError(
                f"The next day to process is {day}. The stream is complete up to {complete}. {INGEST_FIRST}"
            )
        return day

    def _newest_published(self) -> date:
        published = [day for day, item in self._items().items() if item["status"] == "published"]
        if not published:
            raise UserError("No day is published yet. Run the process DAG first, or set date.")
        return date.fromisoformat(max(published))

    def _items(self) -> dict[str, dict[str, Any]]:
        return self.state.query(state_keys.day_partition_key(self.workload.name))

    def _watermark(self) -> datetime | None:
        item = self.state.get(*state_keys.watermark_key(self.workload.name, self.workload.stream.name))
        return parse_instant(item["watermark"]) if item and item.get("watermark") else None

    def _require_raw(self, days: list[date]) -> None:
        if any(True for _ in marked(self.workload, days, self.settings.lake_bucket, self.objects)):
            return
        span = str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
        watermark = self._watermark()
        until = f"The stream is complete up to {format_instant(watermark)}" if watermark else "Nothing was ingested yet"
        raise UserError(f"There is no raw data of {span}. {until}. {INGEST_FIRST}")


def _chosen(days: list[date]) -> ChosenDays:
    texts = [day.isoformat() for day in days]
    return {"days": texts, "last": texts[-1], "cutoff": format_instant(cutoff(days[-1]))}
