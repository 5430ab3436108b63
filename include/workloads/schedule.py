"""When a workload's process and retrain runs start by themselves (the block ``schedule`` of its ``workload.yaml``)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from include.errors import UserError
from include.lake.days import parse_day
from include.workloads.cron import parse_cron
from include.workloads.strict import StrictModel
from include.workloads.suggestions import did_you_mean

ACTIVE_RUNS = 4


class ScheduleSpec(StrictModel):
    """Cron expressions of local time. A run is for the days since the one before (``include.pipelines.rundate``)."""

    process: str = Field("30 0 * * *", description="cron expression of the process runs, at most once a day")
    retrain: str = Field("0 2 * * *", description="cron expression of the retrain runs; once a week: 0 2 * * mon")
    # The pattern holds in every runtime; the names themselves are only known where the time zones are installed.
    timezone: str = Field(
        "UTC",
        pattern=r"^[A-Za-z_]+(/[A-Za-z0-9_+-]+)*$",
        description="time zone of the expressions, like UTC or Europe/Berlin; days of data are UTC days in any case",
    )
    start: date = Field(date(2013, 1, 1), description="the first day that a scheduled run is for")
    catchup: bool = Field(
        False, description="true: one run for each time since start; false: only for the newest of those missed"
    )
    deadline: timedelta = Field(
        timedelta(hours=6),
        gt=timedelta(0),
        description="ISO 8601 duration after the retrain run's time, by which the night must have ended",
    )

    @field_validator("process", "retrain")
    @classmethod
    def _cron(cls, value: str) -> str:
        parse_cron(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception as error:
            if names := available_timezones():
                raise ValueError(f"{value} is not a time zone{did_you_mean(value, names)}") from error
        return value

    @field_validator("start", mode="before")
    @classmethod
    def _day(cls, value: Any) -> Any:
        try:
            return value if isinstance(value, date) else parse_day(value)
        except UserError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _start_of_catchup(self) -> ScheduleSpec:
        if self.catchup and "start" not in self.model_fields_set:
            raise ValueError("catchup is true, but start is missing: say which day the first run is for")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)

    def dag_options(self) -> dict[str, Any]:
        """Returns the options of a scheduled DAG besides its timetable: its begin, the catch-up, how many runs at once.

        More than one, so that a night that waits for its data holds back neither a person's run nor a backfill's.
        """
        start = datetime.combine(self.start, time(), self.zone)
        return {"start_date": start, "catchup": self.catchup, "max_active_runs": ACTIVE_RUNS}

    def head_start(self, cron: str) -> timedelta:
        """Returns the longest time by which a run starts before the UTC days that it is for have ended.

        Args:
            cron: :attr:`process` or :attr:`retrain`.
        """
        at, year = parse_cron(cron).at, self.start.year
        months = (datetime(year, month, 1, tzinfo=self.zone).utcoffset() for month in range(1, 13))
        east = max(offset or timedelta(0) for offset in months)
        return max(timedelta(0), east - timedelta(hours=at.hour, minutes=at.minute))

    def processes_after(self, day: date) -> bool:
        """Whether a process run starts on the day after ``day``, so that ``day`` is the last one that it is for."""
        return parse_cron(self.process).fires_on(day + timedelta(days=1))

    def retrains_after(self, day: date) -> bool:
        """Whether a retrain run starts on the day after ``day``, so that it trains for ``day``."""
        return parse_cron(self.retrain).fires_on(day + timedelta(days=1))
