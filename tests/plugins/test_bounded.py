"""The timetable whose runs a file bounds."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow import plugins_manager
from airflow._shared.module_loading import qualname
from airflow.sdk import CronDataIntervalTimetable
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.timetables.base import DagRunInfo, TimeRestriction
from nightjar.bounded import BoundedCronTimetable, cron_schedule, read_bounds
from nightjar_plugin import NightjarPlugin
from pendulum import instance

from infra.laptop import bounds
from infra.laptop.config import LaptopConfig

DAILY, MONDAYS = "30 0 * * *", "0 2 * * mon"
UNBOUNDED = TimeRestriction(None, None, catchup=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "nights.json"


def write(file: Path, first: str, last: str) -> None:
    file.write_text(json.dumps({"flights": {"first": first, "last": last}}))


def infos(timetable: Any, last: Any = None, restriction: TimeRestriction = UNBOUNDED) -> list[DagRunInfo]:
    """All runs that the scheduler would make, one after the other."""
    found: list[DagRunInfo] = []
    while (
        info := timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
    ) is not None and len(found) < 100:
        found.append(info)
        last = info.data_interval
    return found


def ends(found: list[DagRunInfo], zone: str = "UTC") -> list[str]:
    """The local dates at which the intervals end: each run is for the day before."""
    return [str(info.data_interval.end.in_timezone(zone).date()) for info in found if info.data_interval]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_there_is_one_run_for_each_day_from_the_first_to_the_last(file: Path, zone: str) -> None:
    write(file, "2013-06-19", "2013-06-21")
    found = infos(BoundedCronTimetable(DAILY, zone, str(file), "flights"))
    assert ends(found, zone) == ["2013-06-20", "2013-06-21", "2013-06-22"]


def test_a_run_goes_on_from_the_last_one_when_the_last_day_is_moved(file: Path) -> None:
    timetable = BoundedCronTimetable(DAILY, "UTC", str(file), "flights")
    write(file, "2013-06-19", "2013-06-19")
    first = infos(timetable)
    write(file, "2013-06-19", "2013-06-20")
    assert ends(infos(timetable, first[-1].data_interval)) == ["2013-06-21"]


def test_a_weekly_run_is_made_when_the_day_before_its_end_is_within_the_bounds(file: Path) -> None:
    timetable = BoundedCronTimetable(MONDAYS, "UTC", str(file), "flights")
    write(file, "2013-06-19", "2013-06-22")  # a Saturday
    assert infos(timetable) == []
    write(file, "2013-06-19", "2013-06-23")
    (found,) = infos(timetable)
    assert found.data_interval and found.data_interval.start == datetime(2013, 6, 17, 2, tzinfo=UTC)


def test_without_an_entry_there_is_no_run(file: Path) -> None:
    timetable = BoundedCronTimetable(DAILY, "UTC", str(file), "other")
    assert infos(timetable) == []
    write(file, "2013-06-19", "2013-06-21")
    assert infos(timetable) == []


def test_a_backfill_is_not_bounded(file: Path) -> None:
    write(file, "2013-06-19", "2013-06-19")
    start = instance(datetime(2013, 5, 1, tzinfo=UTC))
    restriction = TimeRestriction(start, start + timedelta(days=2), catchup=True)
    found = infos(BoundedCronTimetable(DAILY, "UTC", str(file), "flights"), restriction=restriction)
    assert ends(found) == ["2013-05-02", "2013-05-03"]


def test_it_is_stored_and_read_again_by_airflow(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow stores a timetable of one's own only if a plugin registers it."""
    registered = {qualname(timetable): timetable for timetable in NightjarPlugin.timetables}
    monkeypatch.setattr(plugins_manager, "get_timetables_plugins", lambda: registered)
    write(file, "2013-06-19", "2013-06-19")
    made = BoundedCronTimetable(DAILY, "Europe/Berlin", str(file), "flights")
    read = decode_timetable(json.loads(json.dumps(encode_timetable(made))))
    assert isinstance(read, BoundedCronTimetable) and read == made
    assert ends(infos(read), "Europe/Berlin") == ["2013-06-20"]


def test_without_a_file_the_schedule_is_airflows_own(file: Path) -> None:
    assert type(cron_schedule(DAILY, "UTC", "", "flights")) is CronDataIntervalTimetable
    assert type(cron_schedule(DAILY, "UTC", str(file), "flights")) is BoundedCronTimetable


def test_it_reads_what_the_laptop_writes(tmp_path: Path) -> None:
    config, first = LaptopConfig(run=tmp_path), date(2013, 6, 19)
    bounds.allow(config, "flights", first)
    assert read_bounds(str(config.nights_file), "flights") == (first, first)
    assert read_bounds(str(config.nights_file), "shop") is None
