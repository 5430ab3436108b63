"""When a schedule of EventBridge starts, and which expressions are refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.localcloud.events.schedule import ScheduleError, parse

BEGIN = datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)  # a Sunday


def starts(expression: str, span: timedelta, step: timedelta = timedelta(minutes=7)) -> list[datetime]:
    """Every start within a span, looked for step by step as the clock does."""
    latest, found, started, now = parse(expression), [], BEGIN, BEGIN
    while now < BEGIN + span:
        now += step
        if due := latest(BEGIN, started, now):
            found.append(due)
            started = due
    return found


def test_a_rate_counts_from_the_rules_begin_and_starts_once_a_period() -> None:
    found = starts("rate(15 minutes)", timedelta(hours=2), timedelta(seconds=30))
    assert found == [BEGIN + timedelta(minutes=15 * number) for number in range(1, 9)]


def test_starts_that_were_missed_are_made_up_by_the_newest_one() -> None:
    assert starts("rate(1 hour)", timedelta(hours=6), timedelta(hours=3)) == [
        BEGIN + timedelta(hours=3), BEGIN + timedelta(hours=6)
    ]  # fmt: skip
    cron = parse("cron(0 * * * ? *)")
    assert cron(BEGIN, BEGIN, BEGIN + timedelta(hours=5)) == datetime(2026, 3, 1, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("cron(0 6 ? * MON-FRI *)", "2026-03-02 06:00"),
        ("cron(30 12 1,3 * ? *)", "2026-03-01 12:30"),
        ("cron(0/20 13 * MAR ? 2026)", "2026-03-01 13:00"),
        ("cron(15 0 ? * 3 *)", "2026-03-03 00:15"),  # 1 is Sunday
        ("cron(5 10-11 * 3-4 ? *)", "2026-03-02 10:05"),
    ],
)
def test_a_cron_expression_starts_at_its_minutes(expression: str, first: str) -> None:
    assert f"{starts(expression, timedelta(days=4))[0]:%Y-%m-%d %H:%M}" == first


def test_a_minute_of_a_rate_can_be_shortened() -> None:
    latest = parse("rate(2 minutes)", minute_seconds=0.5)
    assert latest(BEGIN, BEGIN, BEGIN + timedelta(seconds=0.9)) is None
    assert latest(BEGIN, BEGIN, BEGIN + timedelta(seconds=1.2)) == BEGIN + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("rate(0 minutes)", "write rate"),
        ("rate(1 minutes)", "write 1 minute"),
        ("rate(2 minute)", "a number of minutes"),
        ("rate(5 weeks)", "write rate"),
        ("cron(0 6 * * *)", "has 5 fields"),
        ("cron(0 6 * * * *)", "must be ?"),
        ("cron(0 6 ? * ? *)", "must be ?"),
        ("cron(0 6 L * ? *)", "'L' is not evaluated"),
        ("cron(0 6 ? * 2#1 *)", "'2#1' is not evaluated"),
        ("cron(0 25 * * ? *)", "'25' is not within 0 to 23"),
        ("every day", "write rate"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(expression: str, named: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        parse(expression)
    assert named in str(refused.value) and expression in str(refused.value)
