"""What dies, keeps dying or hangs is named with its log and what to do; a run is not waited for in vain."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.laptop import parts, vitals
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.processes import Supervisor
from tests.support.supervised import start, until

pytestmark = pytest.mark.stack
SLEEP = "import time; time.sleep(120)"
HEALTHY = {"metadatabase": {"status": "healthy"}} | {
    part: {"status": "healthy", f"latest_{part}_heartbeat": "2026-11-28T18:00:00+00:00"}
    for part in ("scheduler", "triggerer", "dag_processor")
}


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """All processes of a stack, each of which only sleeps."""
    made = Supervisor(tmp_path)
    for name in parts.ALL:
        start(made, name, SLEEP)
    yield made
    made.stop(*(record.name for record in made.records()))


def config(supervisor: Supervisor) -> LaptopConfig:
    return LaptopConfig(run=supervisor.state)


def test_a_stack_without_faults(supervisor: Supervisor) -> None:
    assert vitals.faults(supervisor, HEALTHY) == []
    vitals.require_running(config(supervisor))


def test_a_stopped_stack_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(LaptopError, match=r"^The laptop stack is not running. Start it with `make run`\.$"):
        vitals.require_running(LaptopConfig(run=tmp_path))


def test_a_stopped_process_is_named_with_what_starts_it(supervisor: Supervisor) -> None:
    supervisor.stop(parts.SCHEDULER)
    with pytest.raises(LaptopError, match=r"^airflow-scheduler is not running. `make restart WHAT=scheduler` starts"):
        vitals.require_running(config(supervisor))


def test_a_process_that_keeps_dying_is_refused_although_it_runs_at_times(supervisor: Supervisor) -> None:
    supervisor.stop(parts.SCHEDULER)
    start(supervisor, parts.SCHEDULER, "import time; print('no such table', flush=True); time.sleep(1); exit(3)")
    until(lambda: vitals.state(supervisor.record(parts.SCHEDULER)) == "crashing")
    with pytest.raises(LaptopError, match=r"(?s)^airflow-scheduler died with exit code 3, 3 times in a row.*no such"):
        vitals.require_running(config(supervisor))


def test_a_single_death_is_reported_once_and_does_not_end_the_wait(supervisor: Supervisor) -> None:
    said: list[str] = []
    watch = vitals.Watch(supervisor, said.append, lambda: HEALTHY)
    watch()
    assert said == []
    killed = supervisor.find(parts.TRIGGERER)
    assert killed is not None
    os.kill(killed.pid, signal.SIGKILL)

    def back() -> bool:
        watch()
        return bool(said) and supervisor.find(parts.TRIGGERER) is not None

    until(back)
    assert len(said) <= 2 and all(line.startswith("airflow-triggerer") and "restarted" in line for line in said)


def test_a_dead_supervisor_ends_the_wait(supervisor: Supervisor) -> None:
    watcher = supervisor.supervisor()
    assert watcher is not None
    os.kill(watcher.pid, signal.SIGKILL)
    until(lambda: supervisor.running() == [])
    watch = vitals.Watch(supervisor, lambda _: None, lambda: HEALTHY)
    with pytest.raises(LaptopError, match="airflow-scheduler is dead, and so is the supervisor"):
        watch()


def test_a_process_without_a_supervisor_is_a_fault_although_it_runs(supervisor: Supervisor) -> None:
    (supervisor.state / "supervisor.json").rename(supervisor.state / "away.json")
    faults = vitals.faults(supervisor, HEALTHY)
    (supervisor.state / "away.json").rename(supervisor.state / "supervisor.json")
    assert {fault.name for fault in faults} == set(parts.ALL)
    assert (
        faults[0].text(lines=0).startswith("postgres runs, but the supervisor that would restart it is dead. `make r")
    )


def test_a_process_without_a_heartbeat_ends_the_wait_unless_it_has_just_started(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat = "2026-11-28T18:01:00+00:00"
    silent = HEALTHY | {"scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": beat}}
    said: list[str] = []
    vitals.Watch(supervisor, said.append, lambda: silent)()
    assert said == []
    monkeypatch.setattr(vitals, "STARTING_SECONDS", 0.0)
    monkeypatch.setattr(vitals, "SILENT_SECONDS", 0.0)
    with pytest.raises(LaptopError, match=rf"^airflow-scheduler runs, but has sent no heartbeat since {beat[:10]}"):
        vitals.Watch(supervisor, said.append, lambda: silent)()


def test_a_process_that_a_busy_machine_silences_for_a_while_is_reported_once_and_waited_for(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vitals, "STARTING_SECONDS", 0.0)
    monkeypatch.setattr(vitals, "HEALTH_SECONDS", 0.0)
    silent, said, now = HEALTHY | {"scheduler": {"status": "unhealthy"}}, list[str](), [1000.0]
    answers = [silent, silent, HEALTHY, silent, silent]
    watch = vitals.Watch(supervisor, said.append, lambda: answers.pop(0))
    monkeypatch.setattr(vitals.time, "monotonic", lambda: now[0])
    for step in (0.0, vitals.SILENT_SECONDS - 1, 10.0, 10.0):
        now[0] += step
        watch()
    assert len(said) == 1 and "no heartbeat" in said[0]
    now[0] += vitals.SILENT_SECONDS
    with pytest.raises(LaptopError, match="no heartbeat"):
        watch()
