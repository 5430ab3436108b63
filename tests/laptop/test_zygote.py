"""A process that the zygote forks is one of the supervisor's, as if it had been started afresh (Linux)."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.laptop import family
from infra.laptop.airflow_environment import SITE
from infra.laptop.config import ROOT
from infra.laptop.processes import ProcessRecord, Supervisor
from tests.support.supervised import until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to a supervisor"),
]
NAME = "zygote"
# It imports this after a while, and its forks say whether they have it.
SLOW = "import time; time.sleep(1)"
PROGRAM = "from nightjar_laptop.zygote import main; main(['slow'], lambda: None)"
FORKED = """
import json, os, signal, sys, time
said = {
    "imported": "slow" in sys.modules,
    "session": os.getsid(0),
    "arguments": sys.argv[1:],
    "folder": os.getcwd(),
    "environment": dict(os.environ),
    "descriptors": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
    "input": sys.stdin.read(),
}
print(json.dumps(said), flush=True)
sys.exit(7) if sys.argv[1:] == ["end"] else time.sleep(120)
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "forked.py").write_text(FORKED)
    made = Supervisor(tmp_path)
    yield made
    made.stop(*(record.name for record in made.records()))
    assert family.members(tmp_path) == []


def environment(supervisor: Supervisor, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{SITE}:{supervisor.state}", **more}


def start_zygote(supervisor: Supervisor, program: str = PROGRAM) -> ProcessRecord:
    command = [sys.executable, "-c", program]
    return supervisor.start(NAME, command, env=environment(supervisor), cwd=supervisor.state, is_zygote=True)


def start(supervisor: Supervisor, name: str, *arguments: str) -> ProcessRecord:
    command = [sys.executable, "-m", "forked", *arguments]
    env = environment(supervisor, OWN="of this process")
    return supervisor.start(name, command, env=env, cwd=supervisor.state, zygote=NAME)


def said(record: ProcessRecord) -> dict[str, Any]:
    """What the process has printed last."""
    log = Path(record.log)
    until(lambda: log.exists() and log.read_text().endswith("}\n"))
    return json.loads(log.read_text().splitlines()[-1])


def test_a_fork_has_what_is_imported_and_nothing_else_of_the_zygote(supervisor: Supervisor) -> None:
    start_zygote(supervisor)
    record = start(supervisor, "one", "an argument")
    found = said(record)
    assert " ".join(psutil.Process(record.pid).cmdline()).strip() == f"{sys.executable} -m forked an argument"
    assert found.pop("environment").items() >= environment(supervisor, OWN="of this process").items()
    assert found == {
        "imported": True,
        "session": record.pid,
        "arguments": ["an argument"],
        "folder": str(supervisor.state),
        "descriptors": [0, 1, 2],
        "input": "",
    }


def test_the_supervisor_restarts_one_alone_and_knows_its_exit_code(supervisor: Supervisor) -> None:
    zygote = start_zygote(supervisor)
    other = start(supervisor, "other")
    first = start(supervisor, "one", "end")
    second = until(lambda: (found := supervisor.record("one")) and found.restarts and found)
    assert second.exit_code == 7 and said(first)["imported"]
    assert supervisor.find("other") == other and supervisor.find(NAME) == zygote
    own = supervisor.supervisor()
    assert own is not None and psutil.Process(other.pid).ppid() == own.pid


def test_stop_ends_it_by_its_signal(supervisor: Supervisor) -> None:
    start_zygote(supervisor)
    record = start(supervisor, "one")
    said(record)
    assert supervisor.stop("one") == ["one"]
    assert not psutil.pid_exists(record.pid) and supervisor.find(NAME)


def test_forks_outlive_the_zygote_and_the_next_is_started_afresh(supervisor: Supervisor) -> None:
    zygote = start_zygote(supervisor)
    one = start(supervisor, "one")
    (supervisor.pids / f"{NAME}.spec.json").unlink()  # it is not to be started again
    os.kill(zygote.pid, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(zygote.pid))
    assert not said(start(supervisor, "two"))["imported"]
    assert supervisor.find("one") == one


def test_without_a_zygote_it_is_started_afresh(supervisor: Supervisor) -> None:
    assert not said(start(supervisor, "one"))["imported"]


def test_nothing_is_forked_where_a_thread_runs(supervisor: Supervisor) -> None:
    threaded = "import threading, time; threading.Thread(target=time.sleep, args=[120], daemon=True).start()"
    (supervisor.state / "slow.py").write_text(threaded)
    start_zygote(supervisor)
    assert not said(start(supervisor, "one"))["imported"]
    assert "has started a thread" in supervisor.tail(NAME)


def test_a_fork_ends_with_the_supervisor(supervisor: Supervisor) -> None:
    start_zygote(supervisor)
    record = start(supervisor, "one")
    said(record)
    own = supervisor.supervisor()
    assert own is not None
    os.kill(own.pid, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(record.pid))
