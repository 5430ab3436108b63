"""Which day or days a run is for, and at which instant an ingest run ends. Pure: the DAG's task passes in its run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Protocol

from include.errors import UserError
from include.lake.days import day_range, parse_day, utc_date
from include.lake.instants import format_instant, parse_instant


class RunTimes(Protocol):
    """The times of an Airflow DAG run."""

    @property
    def run_type(self) -> str:
        """``scheduled``, ``backfill``, ``manual`` or ``asset_triggered``."""

    @property
    def logical_date(self) -> datetime | None:
        """None for a manual run that was triggered without one."""

    @property
    def data_interval_end(self) -> datetime | None:
        """None for a run without an interval."""

    @property
    def run_after(self) -> datetime:
        """When the run may start; for a manual run, when it was triggered."""


def run_day(data_interval_start: datetime | None, params: Mapping[str, Any]) -> date:
    """Returns the Param ``date`` if a person set it, else the UTC date at which the run's data interval begins.

    The Param has priority, because Airflow gives a manual run the interval before the moment at which it was triggered.
    Scheduled and backfilled runs leave the Param empty.

    Raises:
        UserError: There is neither a Param nor an interval (a manual run without a logical date has none), or the Param
            is not a day.
    """
    if params.get("date"):
        return parse_day(params["date"])
    if data_interval_start is None:
        raise UserError(
            'This run has neither a data interval nor a Param "date". Trigger it again with date set, like 2013-03-01.'
        )
    return utc_date(data_interval_start)


def run_days(data_interval_start: datetime | None, params: Mapping[str, Any]) -> list[date]:
    """Returns :func:`run_day` and the days after it, up to the Param ``end_date`` if a person set it.

    Raises:
        UserError: As :func:`run_day`, or the range ends before it begins.
    """
    first = run_day(data_interval_start, params)
    last = parse_day(params["end_date"]) if params.get("end_date") else first
    return day_range(first, last)


def run_end(dag_run: RunTimes, params: Mapping[str, Any]) -> datetime:
    """Returns the instant at which an ingest run ends (UTC). Never the clock: a retry ends where the first try ended.

    The Param ``until`` if a person set it. Else the end of the data interval of a scheduled or backfilled run; for a
    manual run the logical date, or the time at which it was triggered (its interval would be the one before). It is
    never later than ``run_after``, so that a watermark is never in the future.

    Raises:
        UserError: The Param is not an instant, or is later than ``run_after``.
    """
    latest = dag_run.run_after.astimezone(UTC)
    if params.get("until"):
        until = parse_param_instant(params["until"])
        if until > latest:
            raise UserError(
                f"until is {format_instant(until)}, later than this run could start ({format_instant(latest)}): what "
                "arrives in the meantime cannot be read yet. Leave until empty to read everything that has arrived."
            )
        return until
    end = dag_run.logical_date if dag_run.run_type == "manual" else dag_run.data_interval_end
    return min((end or latest).astimezone(UTC), latest)


def declared_complete(params: Mapping[str, Any], end: datetime) -> datetime | None:
    """Returns the Param ``complete_to``, or None if nobody set it.

    Args:
        params: The run's Params.
        end: :func:`run_end`.

    Raises:
        UserError: The Param is not an instant, or is later than the end of the run.
    """
    if not params.get("complete_to"):
        return None
    complete_to = parse_param_instant(params["complete_to"])
    if complete_to > end:
        raise UserError(
            f"complete_to is {format_instant(complete_to)}, but the run reads only what arrived before "
            f"{format_instant(end)}: give an instant that is not later"
        )
    return complete_to


def parse_param_instant(text: str) -> datetime:
    """Parses an instant that a person typed into a Param.

    Raises:
        UserError: The text is not an ISO 8601 time with an offset.
    """
    try:
        return parse_instant(text)
    except ValueError as error:
        raise UserError(str(error)) from None
