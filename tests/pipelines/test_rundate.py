"""Which day a run is for, and when an ingest run ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from include.errors import UserError
from include.pipelines.rundate import (
    check_instants,
    declared_complete,
    interval_days,
    last_complete_day,
    require_ended,
    run_days,
    run_end,
)

START = datetime(2013, 3, 1, 2, tzinfo=UTC)
END = datetime(2013, 3, 1, 10, 15, tzinfo=UTC)
TRIGGERED = datetime(2026, 1, 1, tzinfo=UTC)


DEFAULT = date(2013, 6, 1)


def run(run_type: str = "manual", start: datetime | None = START, length: timedelta = timedelta(days=1)) -> Any:
    end = start + length if start else None
    return SimpleNamespace(run_type=run_type, data_interval_start=start, data_interval_end=end)


def default() -> date:
    return DEFAULT


def unused() -> date:
    raise AssertionError("the default is not needed")


@pytest.mark.parametrize("run_type", ["scheduled", "backfill"])
def test_the_day_is_that_of_the_interval(run_type: str) -> None:
    assert run_days(run(run_type), {"date": None, "end_date": None}, unused) == [date(2013, 3, 1)]


def test_the_days_of_a_longer_interval_are_all_since_the_run_before() -> None:
    weekly = run_days(run("scheduled", length=timedelta(days=7)), {"date": None, "end_date": None}, unused)
    assert weekly == [date(2013, 3, day) for day in range(1, 8)]


@pytest.mark.parametrize(
    ("zone", "start", "end", "day"),
    [
        ("America/New_York", "2013-03-09T05:30Z", "2013-03-10T05:30Z", date(2013, 3, 9)),
        ("America/New_York", "2013-03-10T05:30Z", "2013-03-11T04:30Z", date(2013, 3, 10)),  # 23 hours
        ("America/New_York", "2013-11-03T04:30Z", "2013-11-04T05:30Z", date(2013, 11, 3)),  # 25 hours
        ("Europe/Berlin", "2013-07-01T22:30Z", "2013-07-02T22:30Z", date(2013, 7, 2)),  # 00:30 in Berlin
        ("Asia/Tokyo", "2013-07-01T15:30Z", "2013-07-02T15:30Z", date(2013, 7, 2)),
    ],
)
def test_a_day_is_that_of_the_local_calendar(zone: str, start: str, end: str, day: date) -> None:
    assert interval_days(datetime.fromisoformat(start), datetime.fromisoformat(end), ZoneInfo(zone)) == [day]


def test_an_interval_within_a_day_is_for_no_day() -> None:
    with pytest.raises(UserError, match=r"the run is for no day.* at most once a day"):
        interval_days(START, START + timedelta(hours=6), UTC)


@pytest.mark.parametrize("name", ["date", "end_date"])
def test_a_backfill_with_a_date_is_refused_since_every_run_of_it_would_be_for_that_date(name: str) -> None:
    with pytest.raises(UserError, match=f'"{name}" is set, but each run of a backfill has a day of its own'):
        run_days(run("backfill"), {name: "2013-03-02"}, unused)


@pytest.mark.parametrize("start", [None, START])
@pytest.mark.parametrize("run_type", ["manual", "operator_triggered"])
def test_a_triggered_run_is_for_its_param_or_the_default(run_type: str, start: datetime | None) -> None:
    """Airflow's form pre-fills the logical date with the present, whose interval says nothing about the day."""
    assert run_days(run(run_type, start), {"date": "2013-03-02"}, unused) == [date(2013, 3, 2)]
    assert run_days(run(run_type, start), {"date": None}, default) == [DEFAULT]


def test_a_range_ends_with_its_last_day_and_is_one_day_without() -> None:
    assert run_days(run(), {"end_date": None}, default) == [DEFAULT]
    assert run_days(run(), {"date": "2013-02-28", "end_date": "2013-03-01"}, unused) == [
        date(2013, 2, 28),
        date(2013, 3, 1),
    ]
    assert len(run_days(run(), {"date": "2013-01-01", "end_date": "2014-01-01"}, unused)) == 366


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"date": "yesterday"}, "\"date\": 'yesterday' is not a day"),
        ({"date": "{{ 7*7 }}"}, "is not a day"),
        ({"date": "2013-03-02", "end_date": "2013-03-01"}, "before it begins"),
        ({"date": "2013-03-02", "end_date": "2013-3-3"}, "\"end_date\": '2013-3-3' is not a day"),
        ({"date": "2013-01-01", "end_date": "2014-01-02"}, "more than 366 days"),
        ({"end_date": "2013-03-01"}, '"date" is empty'),
    ],
)
def test_a_wrong_param_is_the_users_error(params: dict[str, str], text: str) -> None:
    with pytest.raises(UserError, match=text):
        run_days(run(), params, default)


def test_a_day_has_ended_at_midnight_utc() -> None:
    day = date(2013, 3, 1)
    require_ended(day, datetime(2013, 3, 2, tzinfo=UTC))
    assert last_complete_day(datetime(2013, 3, 2, tzinfo=UTC)) == day
    with pytest.raises(UserError, match="up to 2013-02-28"):
        require_ended(day, datetime(2013, 3, 1, 23, 59, 59, tzinfo=UTC))


@pytest.mark.parametrize("name", ["until", "complete_to"])
def test_the_instants_of_an_ingest_run_are_checked(name: str) -> None:
    nothing: Any = SimpleNamespace(run_type="manual", logical_date=None, run_after=TRIGGERED)
    check_instants(nothing, {"until": None, "complete_to": "2013-03-01T00:00:00Z"})
    with pytest.raises(UserError, match=f"\"{name}\": 'yesterday' is not an ISO 8601 time"):
        check_instants(nothing, {"until": None, "complete_to": None, name: "yesterday"})


@pytest.mark.parametrize(
    ("times", "until", "end"),
    [
        ({"run_type": "scheduled", "data_interval_end": END, "logical_date": START}, None, END),
        ({"run_type": "backfill", "data_interval_end": END}, None, END),
        ({"run_type": "manual", "logical_date": END, "data_interval_end": START}, None, END),
        ({"run_type": "manual"}, None, TRIGGERED),
        ({"run_type": "manual", "logical_date": datetime(2099, 1, 1, tzinfo=UTC)}, None, TRIGGERED),
        ({"run_type": "manual"}, "2013-04-01T00:00:00+02:00", datetime(2013, 3, 31, 22, tzinfo=UTC)),
    ],
)
def test_where_an_ingest_run_ends(times: dict[str, Any], until: str | None, end: datetime) -> None:
    nothing = {"logical_date": None, "data_interval_end": None, "run_after": TRIGGERED}
    found = run_end(SimpleNamespace(**{**nothing, **times}), {"until": until})
    assert found == end
    assert found.tzinfo is UTC


def test_no_param_is_later_than_the_readers_clock() -> None:
    run = SimpleNamespace(run_type="manual", logical_date=None, data_interval_end=None, run_after=TRIGGERED)
    with pytest.raises(UserError, match=r"until is 2099-.*Leave until empty"):
        run_end(run, {"until": "2099-01-01T00:00:00Z"})
    assert declared_complete({"complete_to": None}, END) is None
    assert declared_complete({"complete_to": "2013-03-01T10:15:00Z"}, END) == END
    with pytest.raises(UserError, match="complete_to is 2099-"):
        declared_complete({"complete_to": "2099-01-01T00:00:00Z"}, END)
