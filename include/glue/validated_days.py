"""Reads the days of an audit, and has them validated, as many together as fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from great_expectations.core import ExpectationSuite, ExpectationValidationResult

from include.glue.day_rows import CHUNK_ROWS, DayRows, read_day
from include.glue.range_validation import RangeValidation
from include.workloads import Workload


class ValidatedDay(NamedTuple):
    """One day with its rows, by event type, and the result of each expectation; none for an event type without rows."""

    day: date
    rows: dict[str, DayRows]
    results: dict[str, list[ExpectationValidationResult]]


def validated_days(
    workload: Workload, suites: Mapping[str, ExpectationSuite], days: Sequence[date], staging: str
) -> Iterator[ValidatedDay]:
    """Yields the days in order. As many as fit together into memory are read and validated at once.

    Args:
        workload: The workload.
        suites: Great Expectations' suite of each event type.
        days: The days.
        staging: URI of the transform run's staging prefix.
    """
    validations = {name: RangeValidation(suite, suites[name]) for name, suite in workload.suites.items()}
    for group in _groups(workload, days, staging):
        for event_type, validation in validations.items():
            with_rows = [one for one in group if one.rows[event_type].rows]
            found = validation.validate([one.rows[event_type] for one in with_rows]) if with_rows else []
            for one, results in zip(with_rows, found, strict=True):
                one.results[event_type] = results
        yield from group
        for rows in [rows for one in group for rows in one.rows.values() if rows.is_large]:
            rows.close()


def _groups(workload: Workload, days: Sequence[date], staging: str) -> Iterator[list[ValidatedDay]]:
    group: list[ValidatedDay] = []
    size = 0
    for day in days:
        rows = {name: read_day(staging, name, day) for name in workload.events}
        own = sum(of_type.rows for of_type in rows.values())
        if group and size + own > CHUNK_ROWS:
            yield group
            group, size = [], 0
        group.append(ValidatedDay(day, rows, {}))
        size += own
    if group:
        yield group
