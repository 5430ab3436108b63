"""Two commands at once: the second start is refused at once, and a stop ends the start before it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.laptop import exclusive
from infra.laptop.config import ROOT, LaptopConfig, LaptopError
from infra.laptop.exclusive import exclusively, interrupting

pytestmark = pytest.mark.stack
HOLDER = """
import signal, sys, time
from pathlib import Path
from infra.laptop.config import LaptopConfig
from infra.laptop.exclusive import exclusively
# A shell may have started these tests in the background, where it has SIGINT ignored.
signal.signal(signal.SIGINT, signal.SIG_IGN if "deaf" in sys.argv else signal.default_int_handler)
try:
    with exclusively(LaptopConfig(run=Path(sys.argv[1])), sys.argv[2]):
        print("has it", flush=True)
        time.sleep(120)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.fixture
def config(tmp_path: Path) -> LaptopConfig:
    return LaptopConfig(run=tmp_path / "run")


@pytest.fixture
def holder(config: LaptopConfig, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the lock."""
    argv = [sys.executable, "-c", HOLDER, str(config.state), *getattr(request, "param", ("make run",))]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "has it\n"
        yield process
        process.kill()


def test_a_second_command_is_refused_and_told_of_the_first(config: LaptopConfig, holder: subprocess.Popen[str]) -> None:
    with (
        pytest.raises(LaptopError, match=rf"`make run` \(pid {holder.pid}, since 20.*make stop"),
        exclusively(config, "make run"),
    ):
        pytest.fail("two commands had the lock")
    assert holder.poll() is None


def test_the_lock_ends_with_its_holder(config: LaptopConfig, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    with exclusively(config, "make run"):
        pass
    with exclusively(config, "make run"):
        pass


def test_a_stop_interrupts_the_command_and_waits_for_its_end(
    config: LaptopConfig, holder: subprocess.Popen[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with interrupting(config, "make stop"):
        assert holder.wait(60) == 0
        assert holder.stdout is not None and holder.stdout.read() == "interrupted\n"
    assert f"`make run` (pid {holder.pid}" in capsys.readouterr().out


@pytest.mark.parametrize("holder", [("make run", "deaf")], indirect=True)
def test_a_command_that_ignores_the_interrupt_is_killed(
    config: LaptopConfig, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exclusive, "INTERRUPT_SECONDS", 0.3)
    with interrupting(config, "make stop"):
        assert holder.wait(60) == -9


def test_a_lock_that_was_deleted_with_the_run_folder_is_not_the_lock(config: LaptopConfig) -> None:
    with exclusively(config, "make clean"):
        (config.state / exclusive.LOCK).unlink()
        with (
            exclusively(config, "make run"),
            pytest.raises(LaptopError, match="`make run`"),
            exclusively(config, "make run"),
        ):
            pytest.fail("two commands had the lock")


def test_a_stop_creates_no_run_folder(config: LaptopConfig) -> None:
    with interrupting(config, "make stop"):
        assert not config.state.exists()


@pytest.mark.parametrize("holder", [("make stop",)], indirect=True)
def test_a_stop_does_not_interrupt_another_stop(
    config: LaptopConfig, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exclusive, "INTERRUPT_SECONDS", 0.5)
    with interrupting(config, "make stop"):
        assert holder.wait(60) == -9  # only the time-out ended it
