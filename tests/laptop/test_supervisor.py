"""What dies is restarted, within a limit; nothing that was started outlives the stop or the supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.laptop import family, output_pipes, vitals
from infra.laptop.config import ROOT
from infra.laptop.processes import ProcessRecord, Supervisor
from infra.laptop.supervisor import MAX_DEATHS, MAX_PAUSE_SECONDS, after_death
from infra.localcloud.rotation import read_lines
from tests.support.process_ends import has_ended
from tests.support.supervised import start, until

pytestmark = pytest.mark.stack
SLEEP = "import time; time.sleep(120)"
LINES = 15_000
# Starts a child in its session and one in a session of its own; both ignore SIGTERM, and the first has no marker:
# some programs overwrite the environment that the system shows.
PARENT = """
import os, subprocess, sys, time
code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(120)"
same = subprocess.Popen([sys.executable, "-c", code], env={"PATH": os.environ["PATH"]})
other = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
print(same.pid, other.pid, flush=True)
time.sleep(120)
"""
# Prints that it is ready to get SIGTERM.
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(120)"
# Ends on SIGTERM only if it can log that. Airflow's scheduler is such a process.
LOGGING = """
import signal, sys, time
def end(*_):
    print("ending", flush=True)
    sys.exit()
signal.signal(15, end)
print("ready", flush=True)
while True:
    try:
        time.sleep(120)
    except OSError:
        pass
"""
INTERRUPTED = """
import time
try:
    print("ready", flush=True)
    time.sleep(120)
except KeyboardInterrupt:
    open("interrupted", "w").close()
"""
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path)
    yield made
    made.stop(*(record.name for record in made.records()))
    assert family.members(tmp_path) == []


def children_of(record: ProcessRecord, line: int = -1) -> list[int]:
    """The pids that the process has printed."""
    log = Path(record.log)
    until(lambda: len(log.read_text().split()) >= 2)
    return [int(word) for word in log.read_text().splitlines()[line].split()]


def watchers_of(supervisor: Supervisor) -> tuple[int, int]:
    """The pids of the supervisor and of its guard."""
    record = supervisor.supervisor()
    assert record is not None
    return record.pid, psutil.Process(record.pid).ppid()


def kill(*pids: int) -> None:
    """Kills processes so that none has time to act on the death of another."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            os.kill(pid, number)


def ready(record: ProcessRecord) -> ProcessRecord:
    until(lambda: "ready" in Path(record.log).read_text())
    return record


def test_a_killed_process_is_started_again_and_its_exit_code_is_kept(supervisor: Supervisor) -> None:
    first = start(supervisor, "one", SLEEP)
    os.kill(first.pid, signal.SIGKILL)
    second = until(lambda: (found := supervisor.find("one")) and found.pid != first.pid and found)
    assert (second.state, second.restarts, second.exit_code) == ("running", 1, -signal.SIGKILL)


def test_what_a_killed_process_leaves_behind_is_killed(supervisor: Supervisor) -> None:
    """Airflow's scheduler left workers of 135 MB each."""
    record = start(supervisor, "parent", PARENT)
    pids = children_of(record)
    os.kill(record.pid, signal.SIGKILL)
    until(lambda: all(map(has_ended, pids)))


def test_a_process_that_dies_again_and_again_is_given_up() -> None:
    record = ProcessRecord("bad", 1, 0.0, "log", 15, "")
    pauses = []
    for deaths in range(1, MAX_DEATHS):
        record, pause = after_death(record, deaths, 3)
        assert (record.state, record.restarts, record.deaths) == ("restarting", deaths, deaths)
        pauses.append(pause)
    assert pauses == sorted(set(pauses)) and after_death(record, 50, 3)[1] == MAX_PAUSE_SECONDS
    record, _ = after_death(record, MAX_DEATHS, 3)
    assert (record.state, record.exit_code) == ("failed", 3) and "`make run`" in record.detail


def test_a_process_that_dies_waits_for_its_next_start_and_says_so(supervisor: Supervisor) -> None:
    start(supervisor, "bad", "print('no such table', flush=True); raise SystemExit(3)")
    waits = until(lambda: (found := supervisor.record("bad")) and found.restarts >= 2 and found)
    assert waits.exit_code == 3
    shown = until(lambda: (found := vitals.describe(supervisor.record("bad")))["state"] == "restarting" and found)
    assert shown["last_exit_code"] == 3 and shown["last_lines"][-1] == "no such table"
    assert "is started again in" in shown["detail"]


def test_a_new_start_begins_anew_after_a_failure(supervisor: Supervisor) -> None:
    start(supervisor, "flaky", "raise SystemExit(3)")
    until(lambda: supervisor.find("flaky") is None)
    record = start(supervisor, "flaky", SLEEP)
    assert until(lambda: supervisor.find("flaky")).restarts == record.restarts == 0


def test_stop_ends_every_descendant_although_its_parent_was_killed(supervisor: Supervisor) -> None:
    supervisors_and = {}
    for name in ("one", "two"):
        record = start(supervisor, name, PARENT)
        supervisors_and[name] = [record.pid, *children_of(record)]
    watcher = supervisor.supervisor()
    assert watcher is not None
    assert len(family.members(supervisor.state, [watcher.pid])) == 7  # the supervisor, and two families of three
    assert set(supervisor.stop("one", "two", timeout=2)) == {"one", "two"}
    assert all(has_ended(pid) for pids in supervisors_and.values() for pid in pids)
    assert has_ended(watcher.pid) and family.members(supervisor.state) == []


def test_nothing_outlives_a_killed_supervisor(supervisor: Supervisor) -> None:
    """Airflow's scheduler did, with its workers and a task: it could not log its end any more."""
    records = [ready(start(supervisor, "stubborn", STUBBORN)), ready(start(supervisor, "logging", LOGGING))]
    parent = start(supervisor, "parent", PARENT)
    pids = [*(record.pid for record in (*records, parent)), *children_of(parent)]
    kill(watchers_of(supervisor)[0])
    until(lambda: all(map(has_ended, pids)))


def test_the_guard_ends_a_process_by_its_stop_signal(supervisor: Supervisor) -> None:
    """On Linux the system sends it too, so here the supervisor lives, but does nothing until the signal has come."""
    argv = [sys.executable, "-c", INTERRUPTED]
    record = ready(supervisor.start("one", argv, env=dict(os.environ), cwd=supervisor.state, stop_signal=signal.SIGINT))
    watcher, _ = watchers_of(supervisor)
    os.kill(watcher, signal.SIGSTOP)
    end = "import sys, pathlib, infra.laptop.guard as guard; guard.end_processes(pathlib.Path(sys.argv[1]))"
    with subprocess.Popen([sys.executable, "-c", end, supervisor.state], cwd=ROOT) as ending:
        try:
            until((supervisor.state / "interrupted").exists)
        finally:
            os.kill(watcher, signal.SIGCONT)  # its child is a zombie until it looks
    assert ending.returncode == 0 and has_ended(record.pid)


@on_linux
def test_nothing_outlives_a_killed_guard(supervisor: Supervisor) -> None:
    record = start(supervisor, "parent", PARENT)
    watcher, guard = watchers_of(supervisor)
    pids = [watcher, record.pid, *children_of(record)]
    kill(guard)
    until(lambda: all(map(has_ended, pids)))


def test_nothing_outlives_a_supervisor_killed_with_its_guard_and_a_stop(supervisor: Supervisor) -> None:
    record = start(supervisor, "parent", PARENT)
    pids = [record.pid, *children_of(record)]
    kill(*watchers_of(supervisor))
    until(lambda: has_ended(record.pid))  # the system sends it its stop signal
    supervisor.stop("parent")
    assert all(map(has_ended, pids)) and family.members(supervisor.state) == []


def test_a_new_supervisor_removes_what_one_killed_with_its_guard_left(supervisor: Supervisor) -> None:
    record = start(supervisor, "parent", PARENT)
    pids = children_of(record)
    watchers = watchers_of(supervisor)
    kill(*watchers)
    until(lambda: all(map(has_ended, (*watchers, record.pid))))
    again = start(supervisor, "parent", SLEEP)
    assert all(map(has_ended, pids)) and supervisor.find("parent") == again


def test_a_start_while_the_guard_ends_what_is_left_waits_for_it(supervisor: Supervisor) -> None:
    old = ready(start(supervisor, "old", STUBBORN))
    watcher, guard = watchers_of(supervisor)
    kill(watcher)
    new = start(supervisor, "new", SLEEP)
    assert has_ended(old.pid)
    until(lambda: has_ended(guard))
    assert supervisor.find("new") == new


def test_what_a_killed_supervisor_left_is_stopped_before_a_start(supervisor: Supervisor) -> None:
    old = ready(start(supervisor, "old", STUBBORN))
    assert supervisor.stop_unsupervised() == [] and not has_ended(old.pid)
    watchers = watchers_of(supervisor)
    kill(*watchers)
    until(lambda: all(map(has_ended, watchers)))
    assert not has_ended(old.pid)
    supervisor.stop_unsupervised()
    assert has_ended(old.pid) and supervisor.records() == [] and supervisor.specification("old") is None


def test_two_at_once_are_started_by_one_supervisor(supervisor: Supervisor) -> None:
    start(supervisor, "one", SLEEP)
    watcher = supervisor.supervisor()
    start(supervisor, "two", SLEEP)
    assert watcher is not None and supervisor.supervisor() == watcher
    assert [process.ppid() for process in map(psutil.Process, (r.pid for r in supervisor.running()))] == [
        watcher.pid
    ] * 2


def test_state_is_readable_by_its_owner_alone(supervisor: Supervisor) -> None:
    start(supervisor, "one", "print('x', flush=True); " + SLEEP)
    paths = [*supervisor.pids.iterdir(), *supervisor.logs.iterdir(), *supervisor.state.glob("*.json*")]
    assert [path for path in paths if path.is_file() and path.stat().st_mode & 0o077] == []
    assert len(paths) >= 6


def test_a_program_that_does_not_exist_is_an_error(supervisor: Supervisor) -> None:
    with pytest.raises(Exception, match=r"none cannot be started.*FileNotFoundError"):
        supervisor.start("none", ["/no/such/program"], env={}, cwd=supervisor.state)


def test_the_status_of_what_never_ran_and_of_what_runs(supervisor: Supervisor) -> None:
    assert vitals.describe(supervisor.record("one")) == {"state": "stopped"}
    record = start(supervisor, "one", SLEEP)
    shown = vitals.describe(supervisor.record("one"))
    assert (shown["state"], shown["pid"], shown["restarts"]) == ("running", record.pid, 0)
    assert shown["since"].endswith("+00:00")


def test_logs_are_bounded_and_no_line_is_torn_or_lost(supervisor: Supervisor) -> None:
    """Two processes of a session print at the same time, more than fits into one file."""
    code = (
        "import os\nchild = os.fork()\n"
        f"for number in range({LINES}):\n"
        "    os.write(1, b'%s %06d %s\\n' % (b'child' if child == 0 else b'parent', number, b'x' * 400))\n"
        "os.wait() if child else os._exit(0)\nimport time; time.sleep(120)\n"
    )
    record = start(supervisor, "talker", code)
    log = Path(record.log)

    def printed() -> list[bytes]:
        return [line for line in read_lines(log) if line.startswith((b"child", b"parent"))]

    until(lambda: log.exists() and len(printed()) == 2 * LINES)
    assert sum(path.stat().st_size for path in log.parent.glob("talker.log*")) > output_pipes.FILE_BYTES
    assert log.with_name("talker.log.1").stat().st_size <= output_pipes.FILE_BYTES
    for who in (b"child", b"parent"):
        of = [line.split() for line in printed() if line.startswith(who)]
        assert [int(line[1]) for line in of] == list(range(LINES)) and {len(line[2]) for line in of} == {400}


def test_the_last_words_of_a_process_are_in_its_log_when_its_death_is_known(supervisor: Supervisor) -> None:
    start(supervisor, "bad", "print('x' * 60_000); print('the reason', flush=True); raise SystemExit(3)")
    until(lambda: (found := supervisor.record("bad")) and found.exit_code == 3)
    assert supervisor.tail("bad").endswith("the reason")
