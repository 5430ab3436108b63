"""Set-up makes Spark's class data after the first nights, which must not be slower for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.laptop.class_data import CHECK_SECONDS, CHECKS, wait_until_idle

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import os, pathlib
from infra.laptop.class_data import give_way
give_way()
print(os.nice(0), os.getsid(0) == os.getpid())
group = pathlib.Path("/proc/self/autogroup")
print(group.read_text().split()[-1] if group.exists() else "none")
"""
# A shell between: set-up's process leads no group either.
COMMAND = '"$0" -c "$1"; exit $?'


@pytest.fixture
def words() -> list[str]:
    argv = ["sh", "-c", COMMAND, sys.executable, CODE]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_in_the_background_it_has_the_lowest_priority(words: list[str]) -> None:
    assert words[:2] == ["19", "True"]


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel does not group processes by session")
def test_its_session_has_the_lowest_priority_too(words: list[str]) -> None:
    assert words[2] == "19"


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
