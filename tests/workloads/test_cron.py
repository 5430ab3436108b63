"""The reader of cron expressions. tests/dags/test_schedules.py compares it with Airflow's."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from include.workloads.cron import parse_cron

MARCH = [date(2013, 3, 1) + timedelta(days=offset) for offset in range(31)]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("30 0 * * *", range(1, 32)),
        ("0 2 * * mon", (4, 11, 18, 25)),
        ("0 2 * * 7", (3, 10, 17, 24, 31)),
        ("0 2 * * 0", (3, 10, 17, 24, 31)),
        ("0 2 * * 1-3,FRI", (1, 4, 5, 6, 8, 11, 12, 13, 15, 18, 19, 20, 22, 25, 26, 27, 29)),
        ("0 2 1,15 * *", (1, 15)),
        ("0 2 */10 * *", (1, 11, 21, 31)),
        ("0 2 10-20/5 mar *", (10, 15, 20)),
        ("0 2 * jan,4-12 *", ()),
    ],
)
def test_an_expression_fires_on_its_days(text: str, days: tuple[int, ...]) -> None:
    cron = parse_cron(text)
    assert [day.day for day in MARCH if cron.fires_on(day)] == list(days)


def test_it_fires_at_its_time() -> None:
    assert parse_cron("30 0 * * *").at == time(0, 30)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0 2 * *", "has 4 fields, and a cron expression has 5"),
        ("@daily", "has 1 fields"),
        ("*/15 * * * *", r"hour is '\*', and must be a number from 0 to 23.*at most once a day"),
        ("0 1,2 * * *", "hour is '1,2', and must be a number"),
        ("* 2 * * *", "minute is"),
        ("60 2 * * *", "minute is '60', and must be a number from 0 to 59"),
        ("0 2 32 * *", "day of the month is '32', and must be within 1 to 31"),
        ("0 2 9-3 * *", "from a smaller number to a larger one"),
        ("0 2 * * 5-5", "from a smaller number to a larger one"),
        ("0 2 L * *", "day of the month has 'L', and must have numbers$"),
        ("0 2 * foo *", "month has 'foo', and must have numbers, or one of jan, feb"),
        ("0 2 * * mon#1", "day of the week is 'mon#1'"),
        ("0 2 1 * mon", "would fire on either"),
        ("0 2 31 2 *", "never fires"),
    ],
)
def test_what_is_no_daily_expression_is_refused_with_its_field(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_cron(text)
