"""Which nights must have ended: from the schedule alone, over weeks and changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from infra.lambdas.deadlines.nights import Night, night_of, nights_between, nights_due, read_duration
from tests.support.night_schedules import schedule

HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_night_is_due_the_deadline_after_its_retrain() -> None:
    assert night_of(schedule(), date(2013, 3, 1)) == Night(
        date(2013, 3, 1), (date(2013, 3, 1),), at("2013-03-02 08:00"), retrains=True
    )


def test_without_a_retrain_it_is_due_the_deadline_after_its_process_run() -> None:
    weekly = schedule(retrain="0 2 * * mon")
    sunday, monday = night_of(weekly, date(2013, 3, 3)), night_of(weekly, date(2013, 3, 4))
    assert sunday and sunday.retrains and sunday.due == at("2013-03-04 08:00")
    assert monday and not monday.retrains and monday.due == at("2013-03-05 06:30")


def test_a_weekly_process_run_is_for_the_days_since_the_one_before() -> None:
    weekly = schedule(process="30 0 * * mon", retrain="0 2 * * mon")
    assert [night.day for night in nights_between(weekly, date(2013, 3, 1), date(2013, 3, 14))] == [
        date(2013, 3, 3), date(2013, 3, 10)
    ]  # fmt: skip
    night = night_of(weekly, date(2013, 3, 10))
    assert night and night.days == tuple(date(2013, 3, day) for day in range(4, 11))


def test_a_night_before_the_start_is_none_and_the_first_one_is_for_no_earlier_day() -> None:
    late = schedule(process="30 0 * * mon", start="2013-03-08")
    assert night_of(late, date(2013, 3, 7)) is None
    first = night_of(late, date(2013, 3, 10))
    assert first and first.days == (date(2013, 3, 8), date(2013, 3, 9), date(2013, 3, 10))


@pytest.mark.parametrize(
    ("day", "due"),
    [("2013-03-29", "2013-03-30 07:00"), ("2013-03-31", "2013-04-01 06:00"), ("2013-10-27", "2013-10-28 07:00")],
)
def test_the_deadline_moves_with_the_clocks(day: str, due: str) -> None:
    """Berlin: summer time from 31 March to 27 October 2013; 02:00 and six hours are 07:00 or 06:00 UTC."""
    night = night_of(schedule("Europe/Berlin"), date.fromisoformat(day))
    assert night and night.due == at(due)


@pytest.mark.parametrize("day", ["2013-03-30", "2013-10-26"])
def test_six_hours_are_six_hours_in_the_night_of_the_change(day: str) -> None:
    berlin = schedule("Europe/Berlin", retrain="30 1 * * *")
    night = night_of(berlin, date.fromisoformat(day))
    begins = datetime.combine(date.fromisoformat(day) + timedelta(days=1), datetime.min.time(), berlin.zone)
    assert night and night.due - begins.astimezone(UTC) == 7.5 * HOUR


def test_each_night_is_due_in_exactly_one_check_whatever_the_zone() -> None:
    for name in ("UTC", "Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"):
        plan, moment = schedule(name), at("2013-03-01 00:00")
        found: list[Any] = []
        while moment < at("2013-04-15 00:00"):
            found += nights_due(plan, moment, moment + HOUR)
            moment += HOUR
        days = [night.day for night in found]
        assert days == [days[0] + timedelta(days=offset) for offset in range(len(days))] and len(days) >= 44, name


def test_a_long_deadline_finds_old_nights() -> None:
    plan = schedule(deadline="P3DT6H")
    assert [night.day for night in nights_due(plan, at("2013-03-10 00:00"), at("2013-03-11 00:00"))] == [
        date(2013, 3, 6)
    ]


@pytest.mark.parametrize(("text", "hours"), [("PT6H", 6), ("PT90M", 1.5), ("P1D", 24), ("P1DT12H", 36), ("PT3600S", 1)])
def test_a_duration_is_read(text: str, hours: float) -> None:
    assert read_duration(text) == hours * HOUR


@pytest.mark.parametrize("text", ["", "P", "PT", "6 hours", "P1M", "-PT6H"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="like PT6H"):
        read_duration(text)
