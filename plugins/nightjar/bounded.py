"""A cron timetable whose scheduled runs are bounded by a file, for an Airflow whose data are replayed.

There the data are the clock: a run makes sense only for a day that somebody has asked for. Airflow's own bound, the
DAG's end date, would also hold back the tasks of runs that a person starts (their logical date is the present).
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import CronDataIntervalTimetable
from airflow.timetables import interval
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from pendulum import DateTime


class BoundedCronTimetable(interval.CronDataIntervalTimetable):
    """Makes the runs for the days that a file names for its subject, and no others. A backfill is not bounded.

    The file is JSON: ``{subject: {"first": "2013-06-19", "last": "2013-06-20"}}``. There is no run for a subject that
    the file does not name. A run is for the local day before its interval ends. Airflow asks at each parse of the DAG's
    file and after each run, so a change of the file counts from the next parse on.

    Args:
        cron: The cron expression.
        timezone: Its time zone.
        bounds_file: The file.
        subject: The entry of the file.
    """

    def __init__(self, cron: str, timezone: Any, bounds_file: str, subject: str) -> None:
        super().__init__(cron, timezone)
        self._bounds_file = bounds_file
        self._subject = subject

    def serialize(self) -> dict[str, Any]:
        """Returns the arguments, as Airflow stores them."""
        return {**super().serialize(), "bounds_file": self._bounds_file, "subject": self._subject}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> BoundedCronTimetable:
        """Makes the timetable of what :meth:`serialize` returned."""
        cron: Any = interval.CronDataIntervalTimetable.deserialize(data)
        return cls(data["expression"], cron._timezone, data["bounds_file"], data["subject"])

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Returns the next run, or None if there is none within the bounds."""
        if restriction.latest is not None:  # a backfill gives the end of its range
            return super().next_dagrun_info(
                last_automated_data_interval=last_automated_data_interval, restriction=restriction
            )
        bounds = read_bounds(self._bounds_file, self._subject)
        if bounds is None:
            return None
        first, last = bounds
        earliest = self._get_prev(self._align_to_next(self._midnight(first + timedelta(days=1))))
        info = super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval,
            restriction=TimeRestriction(earliest, None, catchup=True),
        )
        if info is None or info.data_interval is None:
            return None
        ends = info.data_interval.end.in_timezone(self._timezone).date()
        return info if ends <= last + timedelta(days=1) else None

    def _midnight(self, day: date) -> DateTime:
        return DateTime(day.year, day.month, day.day, tzinfo=self._timezone).in_timezone("UTC")


def read_bounds(file: str, subject: str) -> tuple[date, date] | None:
    """Returns the first and the last day of a subject; None where the file does not name it, or does not exist."""
    path = Path(file)
    entry = json.loads(path.read_text()).get(subject) if path.is_file() else None
    return (date.fromisoformat(entry["first"]), date.fromisoformat(entry["last"])) if entry else None


def cron_schedule(cron: str, timezone: str, bounds_file: str, subject: str) -> Any:
    """Returns a timetable whose runs have data intervals; a ``bounds_file`` bounds them by its entry ``subject``."""
    if bounds_file:
        return BoundedCronTimetable(cron, timezone, bounds_file, subject)
    return CronDataIntervalTimetable(cron, timezone=timezone)
