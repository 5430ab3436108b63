"""A day is compared with recent published days, whose statistics earlier audits have kept."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from include.glue.storage import write_json
from tests.support.audits import DAY, Audit, staged

__all__ = ["staged"]

# Great Expectations takes seconds to import.
pytestmark = pytest.mark.stack


def recent_days(folder: Path, days: list[str], rows: int) -> dict[str, str]:
    """The statistics of days with so many rows, as the audits of those days have written them."""
    uris = {}
    for day in days:
        uris[day] = f"file://{folder}/recent/{day}.json"
        write_json(uris[day], {"offered": {"rows": rows, "delay": [0, 0, 0], "columns": {}}})
    return uris


WEEK = [f"2013-02-{day}" for day in range(22, 29)]


def test_a_day_is_compared_with_published_days_before_it_and_they_are_recorded(staged: Audit, tmp_path: Path) -> None:
    recent = recent_days(tmp_path, [*WEEK, "2013-03-01", "2013-03-02", "2013-01-31"], 100)
    day = staged(recent={**recent, "2013-02-20": f"file://{tmp_path}/written-by-an-older-release.json"})
    assert day["compared"] == WEEK and day["notes"] == []
    assert day["critical_failures"] == [
        "offered: volume: 20 rows, from 100 to 100 on 7 recent days (2013-02-22 to 2013-02-28); measure 5.00, limit 1.4"
    ]
    assert day["findings"][0]["name"] == "offered.volume"


def test_a_day_without_enough_recent_days_passes_with_a_note(staged: Audit, tmp_path: Path) -> None:
    day = staged(recent=recent_days(tmp_path, WEEK[1:], 100))
    assert day["success"]
    assert day["notes"] == ["compared with 6 recent days: a comparison needs 7, so it was left out"]


def test_the_statistics_of_a_day_are_kept_and_hold_no_text_of_rows(staged: Audit, tmp_path: Path) -> None:
    staged(text="secret")
    text = (tmp_path / f"staging/statistics/event_date={DAY}.json").read_text()
    statistics = json.loads(text)
    assert statistics["offered"]["rows"] == 20
    price = {"nulls": 0.0, "distinct": 1, "top": 1.0, "mean": 10.0, "std": 0.0}
    assert statistics["offered"]["columns"]["price"] == price
    assert "secret" not in text


def test_days_of_one_audit_that_passed_count_for_those_after_them(tmp_path: Path) -> None:
    from include.glue.recent_days import RecentDays

    recent = RecentDays(recent_days(tmp_path, WEEK, 100))
    newer: Any = {"offered": {"rows": 5, "delay": [], "columns": {}}}
    recent.add(date(2013, 2, 28), newer)
    assert recent.before(DAY)["2013-02-28"] == newer
    assert list(recent.before(date(2013, 2, 28))) == WEEK[:-1]
    for day in range(1, 16):
        recent.add(date(2013, 3, day), newer)
    assert list(recent.before(date(2013, 3, 20))) == [f"2013-03-{day:02}" for day in range(2, 16)]
