"""Which day or days a run is for, and at which instant an ingest run ends. Pure: the DAG's task passes in its run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Protocol

from include.errors import UserError
from include.lake.days import MAX_RUN_DAYS, cutoff, day_range, parse_day, utc_date
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
    def data_interval_start(self) -> datetime | None:
        """None for a run without an interval."""

    @property
    def data_interval_end(self) -> datetime | None:
        """None for a run without an interval."""

    @property
    def run_after(self) -> datetime:
        """When the run may start; for a manual run, when it was triggered."""


def is_manual(run: RunTimes) -> bool:
    """Whether a person or a program triggered the run.

    Its data interval says nothing about its day: Airflow gives it the one before the moment of the trigger.
    """
    return run.run_type not in ("scheduled", "backfill")


def run_days(run: RunTimes, params: Mapping[str, Any], default: Callable[[], date], zone: tzinfo = UTC) -> list[date]:
    """Returns the days of a run, in order.

    A scheduled or backfilled run is for the days since the one before (:func:`interval_days`); a manual one for the
    Param ``date``, or, where a person left that empty, for ``default()``, and the days after it up to the Param
    ``end_date`` if a person set that.

    Args:
        run: The run.
        params: Its Params.
        default: The day of a manual run without a date.
        zone: The time zone of the schedule.

    Raises:
        UserError: A Param is not a day, or is set for a run that has days of its own; or the range has no begin, ends
            before it begins, or is longer than MAX_RUN_DAYS.
    """
    if run.data_interval_start is not None and run.data_interval_end is not None and not is_manual(run):
        _refuse_dates(params)
        return interval_days(run.data_interval_start, run.data_interval_end, zone)
    first = _param_day(params, "date") if params.get("date") else default()
    if not params.get("end_date"):
        return [first]
    if not params.get("date"):
        raise UserError('"end_date" is set, but "date" is empty. Set both for a range, or neither.')
    last = _param_day(params, "end_date")
    if last - first >= timedelta(days=MAX_RUN_DAYS):
        raise UserError(
            f"{first} to {last} are more than {MAX_RUN_DAYS} days. Give a shorter range, or start a backfill."
        )
    return day_range(first, last)


def interval_days(start: datetime, end: datetime, zone: tzinfo) -> list[date]:
    """Returns the days that a run with this data interval is for: one for each local midnight in it.

    They are the dates from the local date at which the interval begins to the one before the local date at which it
    ends. So each day is in exactly one run, also where the clocks change, and in a daily schedule each run has one.
    The days are of data, and thus of UTC: where the local day ends earlier, the run waits for its data.

    Raises:
        UserError: The interval has no local midnight.
    """
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date() - timedelta(days=1)
    if last < first:
        raise UserError(
            f"The run's data interval, {format_instant(start)} to {format_instant(end)}, ends on the day on which it "
            "begins, so the run is for no day. Give schedule in workload.yaml expressions that fire at most once a day."
        )
    return day_range(first, last)


def _refuse_dates(params: Mapping[str, Any]) -> None:
    for name in ("date", "end_date"):
        if params.get(name):
            raise UserError(
                f'"{name}" is set, but each run of a backfill has a day of its own. Start the backfill again '
                f'without "{name}": its range says which days it is for.'
            )


def _param_day(params: Mapping[str, Any], name: str) -> date:
    try:
        return parse_day(params[name])
    except UserError as error:
        raise UserError(f'"{name}": {error}') from None


def last_complete_day(present: datetime) -> date:
    """Returns the newest day that has ended (UTC)."""
    return utc_date(present) - timedelta(days=1)


def require_ended(day: date, present: datetime) -> None:
    """Checks that a day has ended, because a run of it would wait until then.

    Raises:
        UserError: It has not.
    """
    if cutoff(day) > present:
        raise UserError(f"Day {day} has not ended (UTC). Set date to a day up to {last_complete_day(present)}.")


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
        until = _param_instant(params, "until")
        if until > latest:
            raise UserError(
                f"until is {format_instant(until)}, later than this run could start ({format_instant(latest)}): what "
                "arrives in the meantime cannot be read yet. Leave until empty to read everything that has arrived."
            )
        return until
    end = dag_run.logical_date if is_manual(dag_run) else dag_run.data_interval_end
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
    complete_to = _param_instant(params, "complete_to")
    if complete_to > end:
        raise UserError(
            f"complete_to is {format_instant(complete_to)}, but the run reads only what arrived before "
            f"{format_instant(end)}: give an instant that is not later"
        )
    return complete_to


def check_instants(dag_run: RunTimes, params: Mapping[str, Any]) -> None:
    """Checks the Params of a stream's ingest run.

    Raises:
        UserError: ``until`` or ``complete_to`` is not an instant, or is too late.
    """
    declared_complete(params, run_end(dag_run, params))


def _param_instant(params: Mapping[str, Any], name: str) -> datetime:
    try:
        return parse_instant(params[name])
    except ValueError as error:
        raise UserError(f'"{name}": {error}') from None
