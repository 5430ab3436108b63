"""The block ``schedule`` of workload.yaml."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.workloads import schedule
from include.workloads.schedule import ScheduleSpec
from tests.support.tiny_workload import document, refusal, tiny_workload


def test_without_the_block_nights_are_of_utc_and_missed_ones_are_not_made_up(tmp_path: Path) -> None:
    spec = tiny_workload(tmp_path).schedule
    assert (spec.process, spec.retrain, spec.timezone) == ("30 0 * * *", "0 2 * * *", "UTC")
    assert (spec.catchup, spec.deadline) == (False, timedelta(hours=6))


def test_a_block_is_read(tmp_path: Path) -> None:
    block = {
        "process": "0 4 * * *",
        "retrain": "0 6 * * mon",
        "timezone": "Europe/Berlin",
        "start": "2013-05-01",
        "catchup": True,
        "deadline": "PT3H",
    }
    spec = tiny_workload(tmp_path, schedule=block).schedule
    assert (spec.start, spec.deadline) == (date(2013, 5, 1), timedelta(hours=3))
    assert spec.retrains_after(date(2013, 6, 16)) and not spec.retrains_after(date(2013, 6, 17))  # a Sunday, a Monday
    assert spec.processes_after(date(2013, 6, 17))


def test_the_schedule_decides_nothing_about_published_days(tmp_path: Path) -> None:
    plain = tiny_workload(tmp_path / "a")
    other = tiny_workload(tmp_path / "b", schedule={"timezone": "Europe/Berlin"})
    assert plain.process_hash() == other.process_hash()


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"process": "30 0 * *"}, "schedule.process: '30 0 * *' has 4 fields"),
        ({"retrain": "0 */2 * * *"}, "schedule.retrain: hour is '*/2', and must be a number from 0 to 23"),
        (
            {"timezone": "Europe/Berln"},
            "schedule.timezone: Europe/Berln is not a time zone; did you mean Europe/Berlin?",
        ),
        ({"timezone": "../etc/passwd"}, "schedule.timezone: "),
        ({"start": "1.5.2013"}, "schedule.start: '1.5.2013' is not a day: write it like 2013-03-01"),
        ({"catchup": True}, "schedule: catchup is true, but start is missing"),
        ({"deadline": "PT0S"}, "schedule.deadline: "),
        ({"crontab": "0 2 * * *"}, "schedule.crontab: "),
    ],
)
def test_a_mistake_is_named_with_its_field(tmp_path: Path, block: dict[str, Any], text: str) -> None:
    assert f"shop/workload.yaml: {text}" in refusal(tmp_path, workload=document(schedule=block))


def test_where_no_time_zones_are_installed_a_name_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training image need not have them, and loads the workload too."""
    monkeypatch.setattr(schedule, "available_timezones", set)
    assert ScheduleSpec(timezone="Mars/Olympus").timezone == "Mars/Olympus"


@pytest.mark.parametrize(
    ("zone", "hours"), [("UTC", 0.0), ("America/New_York", 0.0), ("Europe/Berlin", 1.5), ("Asia/Tokyo", 8.5)]
)
def test_east_of_utc_a_run_starts_before_its_utc_day_has_ended(zone: str, hours: float) -> None:
    assert ScheduleSpec(timezone=zone).head_start("30 0 * * *") == timedelta(hours=hours)
