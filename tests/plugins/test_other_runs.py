"""Whether the run of another DAG that is for the same day has failed."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from nightjar import other_runs
from nightjar.other_runs import failed_that_day

DAILY = "30 0 * * *"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The logical dates of the runs of which it was asked whether they failed; those of March have."""
    found: list[datetime] = []

    def count(dag_id: str, logical_dates: list[datetime], states: list[str]) -> int:
        assert (dag_id, states) == ("w_process", ["failed"])
        found.extend(logical_dates)
        return sum(date.month == 3 for date in logical_dates)

    monkeypatch.setattr(other_runs, "RuntimeTaskInstance", SimpleNamespace(get_dr_count=count))
    return found


def context(end: datetime | None) -> Any:
    return {"dag_run": SimpleNamespace(data_interval_end=end)}


@pytest.mark.parametrize(
    ("zone", "end", "start", "has_failed"),
    [
        ("UTC", datetime(2013, 3, 2, 2, tzinfo=UTC), datetime(2013, 3, 1, 0, 30, tzinfo=UTC), True),
        ("UTC", datetime(2013, 4, 2, 2, tzinfo=UTC), datetime(2013, 4, 1, 0, 30, tzinfo=UTC), False),
        # 2 in the night after the clocks went forward: the process run's interval has 23 hours
        ("Europe/Berlin", datetime(2013, 4, 1, 0, tzinfo=UTC), datetime(2013, 3, 30, 23, 30, tzinfo=UTC), True),
    ],
)
def test_it_asks_for_the_run_that_began_on_the_same_local_date(
    asked: list[datetime], zone: str, end: datetime, start: datetime, has_failed: bool
) -> None:
    assert failed_that_day("w_process", DAILY, zone)(context(end)) is has_failed
    assert asked == [start]


def test_a_run_without_an_interval_and_a_date_without_a_run_have_no_such_failure(asked: list[datetime]) -> None:
    wednesday = datetime(2013, 3, 6, 2, tzinfo=UTC)
    assert not failed_that_day("w_process", DAILY, "UTC")(context(None))
    assert not failed_that_day("w_process", "30 0 * * mon", "UTC")(context(wednesday))
    assert asked == []
