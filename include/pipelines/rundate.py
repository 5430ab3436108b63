"""Which day or days a run is about. Pure: a DAG task hands in what its run says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from include.lake.days import day_range, parse_day, utc_date


def run_day(data_interval_start: datetime | None, params: Mapping[str, Any]) -> date:
    """The Param ``date`` where a person gave one, else the UTC date at which the run's data interval begins.

    The Param goes first because a manual run gets the interval before *now* from Airflow, which nobody asked for; scheduled and
    backfilled runs leave the Param empty. Raises ValueError when there is neither: a manual run without a logical date has no
    interval.
    """
    if params.get("date"):
        return parse_day(params["date"])
    if data_interval_start is None:
        raise ValueError(
            'This run has neither a data interval nor a Param "date". Trigger it again with date set, like 2013-03-01.'
        )
    return utc_date(data_interval_start)


def run_days(data_interval_start: datetime | None, params: Mapping[str, Any]) -> list[date]:
    """:func:`run_day`, and the days after it up to the Param ``end_date`` where a person gave one. Raises as that does."""
    first = run_day(data_interval_start, params)
    return day_range(first, parse_day(params["end_date"]) if params.get("end_date") else first)
