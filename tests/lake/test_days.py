"""Days as Params write them, and the instants at which they begin and end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from include.errors import UserError
from include.lake import days


def test_days_are_parsed_strictly() -> None:
    assert days.parse_days("2013-03-02, 2013-03-01,2013-03-02") == [date(2013, 3, 1), date(2013, 3, 2)]
    for text in ("2013-3-1", "20130301", "2013-02-30", "yesterday", "2013-03-01T00:00:00"):
        with pytest.raises(ValueError, match="write it like 2013-03-01"):
            days.parse_day(text)
    with pytest.raises(ValueError, match="no day given"):
        days.parse_days(" , ")


def test_a_wrong_day_is_the_users_mistake() -> None:
    with pytest.raises(UserError):
        days.parse_day("tomorrow")


def test_days_are_formatted_as_ranges() -> None:
    texts = ["2013-03-09", "2013-02-28", "2013-03-01", "2013-03-02"]
    assert days.format_days(map(date.fromisoformat, texts)) == "2013-02-28 to 2013-03-02, 2013-03-09"
    assert days.format_days([]) == ""


def test_ranges_hold_both_ends() -> None:
    assert days.day_range(date(2013, 2, 28), date(2013, 3, 1)) == [date(2013, 2, 28), date(2013, 3, 1)]
    with pytest.raises(ValueError, match="before it begins"):
        days.day_range(date(2013, 3, 1), date(2013, 2, 28))


def test_a_cut_off_is_the_end_of_its_day_in_utc() -> None:
    assert days.cutoff(date(2013, 2, 28)) == datetime(2013, 3, 1, tzinfo=UTC)
    assert days.day_start(date(2013, 2, 28)) == datetime(2013, 2, 28, tzinfo=UTC)


def test_an_instants_date_is_that_in_utc() -> None:
    evening = datetime(2013, 2, 28, 20, tzinfo=timezone(timedelta(hours=-5)))
    assert days.utc_date(evening) == date(2013, 3, 1)
    with pytest.raises(ValueError, match="has no offset"):
        days.utc_date(evening.replace(tzinfo=None))
