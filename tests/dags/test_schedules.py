"""Which days scheduled runs are for, by Airflow's own timetable: each day once, also where the clocks change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from airflow.sdk import CronDataIntervalTimetable as SdkCronDataIntervalTimetable
from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from nightjar.bounded import BoundedCronTimetable
from pendulum import instance

from include.lake.days import cutoff, day_range
from include.pipelines.rundate import interval_days
from include.settings import NO_DEADLINE, settings
from include.workloads import load as load_workload
from include.workloads.schedule import ScheduleSpec
from tests.support.dag_files import load, platform_settings

YEAR = day_range(date(2013, 1, 1), date(2013, 12, 31))
# East and west of UTC, with and without summer time; Lord Howe's is half an hour, and Apia has the largest offset.
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"]
# In New York 02:30 does not exist on 10 March, and 01:30 is twice on 3 November.
TIMES = ["30 0", "30 1", "30 2"]


def intervals(cron: str, spec: ScheduleSpec) -> Iterator[tuple[datetime, datetime]]:
    """The intervals of the runs that a scheduler with catch-up makes, one after the other."""
    timetable = CronDataIntervalTimetable(cron, spec.timezone)
    restriction = TimeRestriction(instance(spec.dag_options()["start_date"]), None, catchup=True)
    last: Any = None
    while True:
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        assert info is not None and info.data_interval is not None
        last = info.data_interval
        yield last.start, last.end


def days(cron: str, spec: ScheduleSpec) -> list[list[date]]:
    """The days of each run that is for a day of the year."""
    found: list[list[date]] = []
    for start, end in intervals(cron, spec):
        run = interval_days(start, end, spec.zone)
        if run[-1] > YEAR[-1]:
            return found
        found.append(run)
    return found


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("time", TIMES)
def test_no_day_is_lost_or_doubled_in_a_year(zone: str, time: str) -> None:
    spec = ScheduleSpec(process=f"{time} * * *", timezone=zone, start=YEAR[0], catchup=True)
    made = [*islice(intervals(spec.process, spec), len(YEAR))]
    assert [interval_days(*interval, spec.zone) for interval in made] == [[day] for day in YEAR]
    early = (cutoff(day) - end for day, (_, end) in zip(YEAR, made, strict=True))
    assert max(timedelta(0), *early) == spec.head_start(spec.process), "the longest time that a run waits for its day"


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_weekly_run_is_for_all_days_since_the_one_before(zone: str) -> None:
    spec = ScheduleSpec(retrain="0 2 * * mon", timezone=zone, start=YEAR[0], catchup=True)
    weeks = days(spec.retrain, spec)
    assert {week[-1].isoweekday() for week in weeks} == {7}
    assert [day for week in weeks for day in week] == day_range(date(2013, 1, 7), date(2013, 12, 29))


@pytest.mark.parametrize("cron", ["30 0 * * *", "0 2 * * mon", "15 3 1,15 * *", "0 2 * mar-jun 1-5", "0 2 */10 * *"])
def test_the_reader_of_crons_agrees_with_airflows(cron: str) -> None:
    spec = ScheduleSpec(retrain=cron, timezone="America/New_York", start=YEAR[0], catchup=True)
    ends = {run[-1] for run in days(cron, spec)}
    assert ends and ends == {day for day in YEAR if spec.retrains_after(day) and day >= min(ends)}


@pytest.mark.parametrize("dag", ["process", "retrain"])
def test_a_dag_has_the_schedule_of_its_workload(dag: str) -> None:
    module = load(dag)
    spec = ScheduleSpec(
        process="30 1 * * *", retrain="0 4 * * sun", timezone="Europe/Berlin", start=date(2013, 5, 1), catchup=True
    )
    with platform_settings():
        made = getattr(module, dag)(load_workload("flights").model_copy(update={"schedule": spec}))
    assert made.timetable.expression == getattr(spec, dag)
    assert str(made.timetable.timezone) == "Europe/Berlin"
    assert made.catchup is True
    assert made.max_active_runs > 1, "a night that waits for its data does not hold back a person's run"
    assert made.start_date == datetime(2013, 5, 1, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


@pytest.mark.parametrize(("dag", "wait"), [("process", "wait_raw"), ("retrain", "wait_day")])
def test_where_data_are_replayed_the_runs_are_bounded_and_wait_for_ever(
    dag: str, wait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load(dag)
    with platform_settings():
        made = getattr(module, dag)(load_workload("flights"))
        assert type(made.timetable) is SdkCronDataIntervalTimetable
        assert made.get_task(wait).deadline_seconds == 6 * 3600
        monkeypatch.setenv("NIGHTJAR_NIGHTS_FILE", "/run/nights.json")
        monkeypatch.setenv("NIGHTJAR_WAIT_DEADLINES", "false")
        settings.cache_clear()
        made = getattr(module, dag)(load_workload("flights"))
    assert made.timetable == BoundedCronTimetable(made.timetable.summary, "UTC", "/run/nights.json", "flights")
    assert made.dagrun_timeout == NO_DEADLINE
    assert made.get_task(wait).deadline_seconds == NO_DEADLINE.total_seconds()


def test_in_the_east_a_run_has_longer_to_wait_for_its_day() -> None:
    tokyo = load_workload("flights").model_copy(update={"schedule": ScheduleSpec(timezone="Asia/Tokyo")})
    module = load("process")
    with platform_settings():
        made = module.process(tokyo)
    assert made.get_task("wait_raw").deadline_seconds == 14.5 * 3600
    assert made.dagrun_timeout == timedelta(hours=12 + 8.5)
