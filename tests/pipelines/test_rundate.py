"""Which day a run is for, and when an ingest run ends."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from include.errors import UserError
from include.pipelines.rundate import declared_complete, run_day, run_days, run_end

START = datetime(2013, 3, 1, 2, tzinfo=UTC)
END = datetime(2013, 3, 1, 10, 15, tzinfo=UTC)
TRIGGERED = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_day_is_that_of_the_interval() -> None:
    assert run_day(START, {}) == date(2013, 3, 1)
    assert run_day(START, {"date": None}) == date(2013, 3, 1)


def test_the_param_has_priority() -> None:
    assert run_day(None, {"date": "2013-03-02"}) == date(2013, 3, 2)
    assert run_day(START, {"date": "2013-03-02"}) == date(2013, 3, 2)


def test_without_either_the_error_says_what_to_do() -> None:
    with pytest.raises(UserError, match="date set, like 2013-03-01"):
        run_day(None, {})


def test_a_range_ends_with_its_last_day_and_is_one_day_without() -> None:
    assert run_days(START, {"end_date": None}) == [date(2013, 3, 1)]
    assert run_days(None, {"date": "2013-02-28", "end_date": "2013-03-01"}) == [date(2013, 2, 28), date(2013, 3, 1)]


@pytest.mark.parametrize(
    "params", [{"date": "yesterday"}, {"date": "2013-03-02", "end_date": "2013-03-01"}, {"end_date": "2013-3-1"}]
)
def test_a_wrong_param_is_the_users_error(params: dict[str, str]) -> None:
    with pytest.raises(UserError):
        run_days(START, params)


@pytest.mark.parametrize(
    ("run", "until", "end"),
    [
        ({"run_type": "scheduled", "data_interval_end": END, "logical_date": START}, None, END),
        ({"run_type": "backfill", "data_interval_end": END}, None, END),
        ({"run_type": "manual", "logical_date": END, "data_interval_end": START}, None, END),
        ({"run_type": "manual"}, None, TRIGGERED),
        ({"run_type": "manual", "logical_date": datetime(2099, 1, 1, tzinfo=UTC)}, None, TRIGGERED),
        ({"run_type": "manual"}, "2013-04-01T00:00:00+02:00", datetime(2013, 3, 31, 22, tzinfo=UTC)),
    ],
)
def test_where_an_ingest_run_ends(run: dict[str, Any], until: str | None, end: datetime) -> None:
    nothing = {"logical_date": None, "data_interval_end": None, "run_after": TRIGGERED}
    found = run_end(SimpleNamespace(**{**nothing, **run}), {"until": until})
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
