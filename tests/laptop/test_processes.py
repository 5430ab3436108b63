from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.laptop.config import LaptopError
from infra.laptop.processes import ProcessRecord, Supervisor, tail
from tests.support.process_ends import has_ended

pytestmark = pytest.mark.stack
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path)
    yield made
    made.stop(*(record.name for record in made.records()))


def start(supervisor: Supervisor, name: str, argv: list[str], **options: Any) -> ProcessRecord:
    return supervisor.start(name, argv, env=dict(os.environ), cwd=supervisor.logs.parent, **options)


def test_starts_once_in_a_session_of_its_own(supervisor: Supervisor) -> None:
    first = start(supervisor, "one", SLEEP)
    assert start(supervisor, "one", SLEEP).pid == first.pid
    assert os.getsid(first.pid) == first.pid != os.getsid(0)


def test_stop_ends_the_process_and_its_children(supervisor: Supervisor) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    record = start(supervisor, "parent", [sys.executable, "-c", script])
    supervisor.wait_ready(("parent",), lambda: () if Path(record.log).read_text().strip() else ("parent",), 60, "it")
    child = int(Path(record.log).read_text())
    assert supervisor.stop("parent", "absent") == ["parent"]
    assert has_ended(record.pid) and has_ended(child)
    assert supervisor.running() == []


def test_another_process_with_the_same_pid_is_not_stopped(supervisor: Supervisor) -> None:
    stranger = subprocess.Popen(SLEEP)
    try:
        record = start(supervisor, "old", SLEEP)
        supervisor.stop("old")
        # Start times have a resolution of 0.01 s, so the record gets a clearly different one.
        forged = {**record.__dict__, "pid": stranger.pid, "created": psutil.Process(stranger.pid).create_time() - 60}
        (supervisor.pids / "old.json").write_text(json.dumps(forged))
        assert supervisor.find("old") is None
        assert supervisor.stop("old") == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_process_that_ends_while_starting_is_an_error_with_its_log(supervisor: Supervisor) -> None:
    start(supervisor, "bad", [sys.executable, "-c", "print('no such thing'); raise SystemExit(3)"])
    with pytest.raises(LaptopError, match=r"(?s)bad (died with exit code 3|ended) while Thing started.*no such thing"):
        supervisor.wait_ready(("bad",), lambda: ("bad",), 60, "Thing")


def test_a_process_that_is_never_ready_is_an_error(supervisor: Supervisor) -> None:
    start(supervisor, "slow", SLEEP)
    with pytest.raises(LaptopError, match=r"(?s)Thing was not ready after 0 s: slow did not answer.*slow\.log"):
        supervisor.wait_ready(("slow",), lambda: ("slow",), 0.3, "Thing")


def test_of_several_processes_the_one_that_died_is_named_and_not_the_one_that_is_asked(supervisor: Supervisor) -> None:
    """A scheduler that died at its start was called a fault of the API server."""
    start(supervisor, "api", SLEEP)
    start(supervisor, "scheduler", [sys.executable, "-c", "print('no module named x'); raise SystemExit(3)"])
    with pytest.raises(LaptopError, match=r"(?s)^scheduler (died|ended).*no module named x"):
        supervisor.wait_ready(("api", "scheduler"), lambda: ("scheduler",), 60, "Airflow")


def test_tail_of_a_missing_log(tmp_path: Path) -> None:
    assert "there is no log" in tail(tmp_path / "absent.log")


def test_tail_is_the_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("\n".join(map(str, range(100))))
    assert tail(log, 2).splitlines() == [f"--- {log}", "98", "99"]


def test_a_process_is_started_again_as_it_was_started(supervisor: Supervisor) -> None:
    first = start(supervisor, "one", SLEEP, digest="configuration 1")
    again = supervisor.specification("one")
    assert again is not None
    supervisor.stop("one")
    assert supervisor.specification("one") is None
    second = supervisor.launch(again)
    assert second.pid != first.pid and second.digest == first.digest == "configuration 1"
    assert psutil.Process(second.pid).cmdline() == SLEEP
