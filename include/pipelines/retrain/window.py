"""The days of a data set."""

from __future__ import annotations

from datetime import date, datetime

from include.lake import days as calendar
from include.sql import split_bounds
from include.workloads import Workload


def window(workload: Workload, cutoff: datetime) -> list[date]:
    """Returns the days whose partitions a data set reads."""
    first = split_bounds(workload.dataset, cutoff)["train"][0]
    return calendar.day_range(calendar.utc_date(first), calendar.utc_date(cutoff))[:-1]
