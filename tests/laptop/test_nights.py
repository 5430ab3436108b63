"""A night on the laptop: what is replayed, which runs are followed, and what is left to an earlier command."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from include.workloads import Workload, load
from include.workloads.schedule import ScheduleSpec
from infra.airflow_api import RunFailedError
from infra.laptop import bounds, night_log, nights, registry, replay, stages
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.nights import Nights, RefusedNightError
from infra.laptop.progress import Reporter
from infra.laptop.stages import Connection

WEDNESDAY, SUNDAY = date(2013, 6, 19), date(2013, 6, 23)
STARTED = "2026-11-29T01:00:00Z"


class Laptop:
    """What a night needs of the stack. It remembers what is done, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.replayed_to: date | None = None
        self.days: dict[date, dict[str, Any]] = {}
        self.state = "running"
        self.has_runs = True
        self.failing: dict[str, str | None] = {}  # DAG → the reason, if a rule ended the run

    # --- Airflow ---

    def watch(self) -> None:
        """The stack runs."""

    def parse_dag_files(self, dag_ids: list[str]) -> None:
        self.done.append(f"parse {' '.join(dag_ids)}")

    def automatic_run(self, dag_id: str, start: datetime, end: datetime) -> dict[str, Any] | None:
        assert (end - start).days == 1
        found = {"dag_run_id": f"scheduled {start.isoformat()}", "state": self.state, "start_date": STARTED}
        return found if self.has_runs else None

    def clear(self, dag_id: str, run_id: str) -> None:
        self.done.append(f"clear {dag_id}")

    def follow(self, dag_id: str, run_id: str, reporter: Reporter) -> None:
        self.done.append(f"follow {dag_id} {run_id}")
        if dag_id in self.failing:
            raise RunFailedError(f"{dag_id} failed: http://127.0.0.1\nits log")

    def link(self, dag_id: str, run_id: str) -> str:
        return "http://127.0.0.1"


@pytest.fixture
def laptop(monkeypatch: pytest.MonkeyPatch) -> Laptop:
    made = Laptop()

    def bring(self: replay.History, aws: Any, table: str, end: date, reporter: Reporter) -> int:
        made.done.append(f"replay to {end}")
        return 1

    def deploy(connection: Connection, workload: str, day: date, started: datetime) -> str:
        assert started == datetime(2026, 11, 29, 1, tzinfo=UTC)
        made.done.append("deploy")
        return "version 2 is live"

    monkeypatch.setattr(replay.History, "replay", bring)
    monkeypatch.setattr(replay, "replayed_to", lambda aws, table, name: made.replayed_to)
    monkeypatch.setattr(registry, "day", lambda aws, table, name, day: made.days.get(day))
    monkeypatch.setattr(stages, "ingest", lambda connection, name, day: made.done.append(f"ingest {day}"))
    monkeypatch.setattr(
        stages, "process", lambda connection, name, first, last: made.done.append(f"process {first} {last}")
    )
    monkeypatch.setattr(stages, "follow_deploy", deploy)
    monkeypatch.setattr(stages, "finished", lambda connection, name, day: "version 2 is live")
    monkeypatch.setattr(nights, "refusal", lambda airflow, dag_id, run_id: made.failing[dag_id])
    monkeypatch.setattr(registry, "version_of_day", lambda aws, name, day: None)
    return made


def make(laptop: Any, folder: Path, workload: Workload | None = None) -> Nights:
    nobody: Any = None
    config = LaptopConfig(run=folder)
    connection = Connection(config, nobody, laptop, Reporter(Console(quiet=True)))
    return Nights(connection, replay.History(workload or load("flights"), config.data, WEDNESDAY, SUNDAY))


def test_a_night_brings_its_data_and_follows_the_scheduled_runs(laptop: Laptop, tmp_path: Path) -> None:
    made = make(laptop, tmp_path)
    made.run(WEDNESDAY)
    assert laptop.done == [
        "parse flights_process flights_retrain",
        "replay to 2013-06-20",
        "ingest 2013-06-19",
        "follow flights_process scheduled 2013-06-20T00:00:00+00:00",
        "follow flights_retrain scheduled 2013-06-20T00:00:00+00:00",
        "deploy",
    ]
    assert bounds.read(made.connection.config, "flights") == (WEDNESDAY, WEDNESDAY)
    assert made.outcomes == {WEDNESDAY: "version 2 is live"}


def test_a_night_whose_workload_retrains_on_sundays_has_no_retrain_run(laptop: Laptop, tmp_path: Path) -> None:
    spec = ScheduleSpec(retrain="0 2 * * mon", timezone="America/New_York")
    weekly = make(laptop, tmp_path, load("flights").model_copy(update={"schedule": spec}))
    weekly.run(WEDNESDAY)
    assert laptop.done[-1] == "follow flights_process scheduled 2013-06-20T00:00:00-04:00"
    assert weekly.outcomes == {WEDNESDAY: "processed; no retrain run is scheduled for this night"}
    weekly.run(SUNDAY)
    assert laptop.done[-1] == "deploy"


@pytest.mark.parametrize(
    ("replayed_to", "done"), [(None, False), (WEDNESDAY, False), (date(2013, 6, 20), True), (SUNDAY, True)]
)
def test_a_finished_night_stays_as_it_is_if_all_its_events_were_replayed(
    laptop: Laptop, tmp_path: Path, replayed_to: date | None, done: bool
) -> None:
    laptop.replayed_to = replayed_to
    made = make(laptop, tmp_path)
    made.run(WEDNESDAY)
    assert (laptop.done == []) is done
    assert made.outcomes == {WEDNESDAY: "version 2 is live"}


def test_a_night_without_retrain_run_is_finished_when_its_day_was_processed(laptop: Laptop, tmp_path: Path) -> None:
    laptop.replayed_to = SUNDAY
    spec = ScheduleSpec(retrain="0 2 * * mon")
    weekly = make(laptop, tmp_path, load("flights").model_copy(update={"schedule": spec}))
    assert weekly.finished(WEDNESDAY) is None
    laptop.days[WEDNESDAY] = {"status": "published"}
    assert weekly.finished(WEDNESDAY) == "the day is published"


def test_a_run_that_failed_before_runs_again(laptop: Laptop, tmp_path: Path) -> None:
    laptop.state = "failed"
    make(laptop, tmp_path).run(WEDNESDAY)
    assert [step for step in laptop.done if step.startswith("clear")] == [
        "clear flights_process",
        "clear flights_retrain",
    ]


def test_a_run_that_the_scheduler_does_not_make_is_an_error(
    laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nights, "SCHEDULER_SECONDS", 0)
    laptop.has_runs = False
    with pytest.raises(LaptopError, match=r"made no run of flights_process for 2013-06-19.*make logs WHAT=scheduler"):
        make(laptop, tmp_path).run(WEDNESDAY)


def test_the_history_before_the_first_night_is_one_run_and_made_once(laptop: Laptop, tmp_path: Path) -> None:
    first, last = date(2013, 4, 21), date(2013, 6, 18)
    made = make(laptop, tmp_path)
    made.process_history(first, last)
    assert laptop.done == ["replay to 2013-06-19", "ingest 2013-06-18", "process 2013-04-21 2013-06-18"]
    laptop.done, laptop.replayed_to, laptop.days[last] = [], WEDNESDAY, {"status": "published"}
    made.process_history(first, last)
    assert laptop.done == []


THURSDAY, FRIDAY = date(2013, 6, 20), date(2013, 6, 21)


def statuses(made: Nights) -> list[tuple[date, str, str]]:
    return [(night.day, night.status, night.outcome) for night in night_log.read(made.connection.config)["flights"]]


def test_a_row_of_nights_goes_on_after_one_that_a_rule_refused(laptop: Laptop, tmp_path: Path) -> None:
    laptop.failing = {"flights_process": "20 % nulls", "flights_retrain": "day 2013-06-19 was refused"}
    laptop.days = {WEDNESDAY: {"status": "refused"}, THURSDAY: {"status": "refused"}}
    made = make(laptop, tmp_path)
    with pytest.raises(
        RefusedNightError, match=r"(?s)The night 2013-06-19 .*20 % nulls.*The night 2013-06-20"
    ) as caught:
        made.run_row(WEDNESDAY, THURSDAY)
    assert "flights_retrain: day 2013-06-19 was refused" in str(caught.value)
    assert [(day, status) for day, status, _ in statuses(made)] == [(WEDNESDAY, "refused"), (THURSDAY, "refused")]
    assert sum(step.startswith("follow flights_retrain") for step in laptop.done) == 2, "its run must have ended"
    assert (tmp_path / "nights.html").is_file()


def test_a_row_of_nights_ends_where_a_run_fails_in_another_way(laptop: Laptop, tmp_path: Path) -> None:
    laptop.failing = {"flights_process": None}
    made = make(laptop, tmp_path)
    with pytest.raises(RunFailedError, match="its log"):
        made.run_row(WEDNESDAY, THURSDAY)
    assert statuses(made) == [(WEDNESDAY, "failed", "flights_process failed: http://127.0.0.1")]


def test_a_row_ends_where_a_rule_leaves_the_day_without_a_status(laptop: Laptop, tmp_path: Path) -> None:
    """The retrain run would wait for the day for ever."""
    laptop.failing = {"flights_process": "the override is over"}
    with pytest.raises(RunFailedError, match="the override is over"):
        make(laptop, tmp_path).run_row(WEDNESDAY, THURSDAY)


def test_a_row_goes_on_from_the_last_nights_that_were_made(laptop: Laptop, tmp_path: Path) -> None:
    made = make(laptop, tmp_path)
    for day in (WEDNESDAY, THURSDAY, FRIDAY):
        bounds.allow(made.connection.config, "flights", day)
    laptop.replayed_to = FRIDAY
    made.run_row(WEDNESDAY, FRIDAY)
    assert [*made.outcomes] == [THURSDAY, FRIDAY]
    assert statuses(made) == [(FRIDAY, "done", "version 2 is live")], "the finished night is not logged again"


def test_a_row_that_ends_before_the_last_nights_that_were_made_does_nothing(laptop: Laptop, tmp_path: Path) -> None:
    made = make(laptop, tmp_path)
    for day in (WEDNESDAY, FRIDAY, SUNDAY):
        bounds.allow(made.connection.config, "flights", day)
    laptop.replayed_to = SUNDAY
    made.run_row(WEDNESDAY, THURSDAY)
    assert laptop.done == [] and [*made.outcomes] == [WEDNESDAY, THURSDAY]
