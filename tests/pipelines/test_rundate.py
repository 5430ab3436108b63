"""Which day a run is about."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from include.pipelines.rundate import run_day, run_days

START = datetime(2013, 3, 1, 2, tzinfo=UTC)


def test_the_interval_says_the_day() -> None:
    assert run_day(START, {}) == date(2013, 3, 1)
    assert run_day(START, {"date": None}) == date(2013, 3, 1)


def test_a_person_says_another_day() -> None:
    assert run_day(None, {"date": "2013-03-02"}) == date(2013, 3, 2)
    assert run_day(START, {"date": "2013-03-02"}) == date(2013, 3, 2)


def test_neither_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="date set, like 2013-03-01"):
        run_day(None, {})


def test_a_range_ends_with_its_last_day_and_is_one_day_without() -> None:
    assert run_days(START, {"end_date": None}) == [date(2013, 3, 1)]
    assert run_days(None, {"date": "2013-02-28", "end_date": "2013-03-01"}) == [date(2013, 2, 28), date(2013, 3, 1)]
