"""Set-up makes Spark's class data after the first nights, which must not be slower for it."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.laptop import class_data
from infra.laptop.class_data import CHECK_SECONDS, CHECKS, locked, make, wait_until_idle
from infra.laptop.config import LaptopConfig
from tests.support.localcloud import Cloud

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import os, pathlib, sys
from infra.laptop.class_data import leave_the_command
leave_the_command()
print(os.nice(0), os.getsid(0) == os.getpid())
group = pathlib.Path("/proc/self/autogroup")
print(group.read_text().split()[-1] if group.exists() else "none")
try:
    os.fstat(int(sys.argv[1]))
except OSError:
    print("closed")
"""
# A shell between: set-up's process leads no group either.
COMMAND = '"$0" -c "$1" "$2"; exit $?'


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    with (tmp_path / "lock").open("w") as lock:
        argv = ["sh", "-c", COMMAND, sys.executable, CODE, str(lock.fileno())]
        done = subprocess.run(
            argv, cwd=ROOT, pass_fds=[lock.fileno()], capture_output=True, text=True, check=True, timeout=60
        )
    return done.stdout.split()


def test_in_the_background_it_has_the_lowest_priority(words: list[str]) -> None:
    assert words[:2] == ["19", "True"]


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel does not group processes by session")
def test_its_session_has_the_lowest_priority_too(words: list[str]) -> None:
    assert words[2] == "19"


def test_it_keeps_no_file_of_the_command_that_started_it(words: list[str]) -> None:
    assert words[-1] == "closed", "whoever waits for a lock of that command would wait for the archive"


@pytest.mark.parametrize(
    ("loads", "minutes"),
    [([0.1], 1), ([2.0, 1.1, 0.4, 3.0], 3), ([2.0] * 2 * CHECKS, CHECKS)],
    ids=["idle from the start", "idle after the nights", "never idle"],
)
def test_it_begins_when_the_machine_is_idle_but_does_not_wait_for_ever(loads: list[float], minutes: int) -> None:
    slept: list[float] = []

    def load() -> tuple[float, float, float]:
        return loads[len(slept) - 1] * (os.cpu_count() or 1), 9.0, 9.0

    wait_until_idle(load, slept.append)
    assert slept == [CHECK_SECONDS] * minutes


@pytest.fixture
def config(tmp_path: Path) -> LaptopConfig:
    """A set-up that wants an archive."""
    folder = tmp_path / "class-data"
    folder.mkdir()
    (folder / "wanted").write_text("this Spark")
    return LaptopConfig(home=tmp_path)


def files(config: LaptopConfig) -> set[str]:
    """What there is beside the lock."""
    return {path.name for path in (config.home / "class-data").iterdir()} - {".lock"}


def ends_with(monkeypatch: pytest.MonkeyPatch, code: int) -> list[Path]:
    """The local cloud's command ends with this code; returns the log of each call."""
    calls: list[Path] = []

    def run_command(config: LaptopConfig, log: Path) -> int:
        calls.append(log)
        return code

    monkeypatch.setattr(class_data, "run_command", run_command)
    return calls


def test_it_is_made_once_for_each_installation(config: LaptopConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, folder = ends_with(monkeypatch, 0), config.home / "class-data"
    assert [make(config, folder), make(config, folder)] == [0, 0]
    assert len(calls) == 1 and files(config) == {"wanted", "made"}
    (folder / "wanted").write_text("another Spark")
    assert make(config, folder) == 0 and len(calls) == 2
    assert (folder / "made").read_text() == "another Spark"


def test_what_fails_is_not_tried_again_and_what_was_killed_is(
    config: LaptopConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = config.home / "class-data"
    ends_with(monkeypatch, -9)
    assert make(config, folder) == 1 and files(config) == {"wanted"}
    ends_with(monkeypatch, 3)
    assert make(config, folder) == 3 and files(config) == {"wanted", "made", "failed"}
    assert ends_with(monkeypatch, 0) == [] and make(config, folder) == 0
    (folder / "wanted").write_text("another Spark")
    assert make(config, folder) == 0 and files(config) == {"wanted", "made"}


def test_an_installation_during_the_making_wants_another_archive(
    config: LaptopConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = config.home / "class-data"

    def run_command(config: LaptopConfig, log: Path) -> int:
        (folder / "wanted").write_text("another Spark")
        return 0

    monkeypatch.setattr(class_data, "run_command", run_command)
    make(config, folder)
    assert (folder / "made").read_text() == "this Spark"


def test_one_waits_for_the_other_and_says_so(
    config: LaptopConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls, folder = ends_with(monkeypatch, 0), config.home / "class-data"
    with ThreadPoolExecutor(1) as other:
        with locked(folder / ".lock", wait=False) as mine:
            assert mine
            with locked(folder / ".lock", wait=False) as second:
                assert not second
            waiting = other.submit(make, config, folder)
            Cloud.wait_until(lambda: "waiting for it" in capsys.readouterr().out)
            (folder / "made").write_text("this Spark")
        assert waiting.result(60) == 0 and calls == []
