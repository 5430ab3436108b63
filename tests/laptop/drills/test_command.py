"""``make drill`` without a stack: which drills it runs, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.laptop import vitals
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.drills import drill
from infra.laptop.drills.command import command
from infra.laptop.drills.drill import Drill, Result
from infra.laptop.drills.table import DRILLS
from infra.laptop.drills.target import Target


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The drills that were run; that of the memory fails."""
    names: list[str] = []

    def run(target: Target, name: str, drilled: Drill) -> Result:
        assert DRILLS[name] is drilled
        names.append(name)
        if name == "memory":
            raise LaptopError("nightjar-flights-memory-drill is OK and not ALARM")
        return Result(3, 5, "threshold crossed")

    monkeypatch.setattr(drill, "run", run)
    monkeypatch.setattr(vitals, "require_running", lambda *_: None)
    return names


def test_all_goes_on_after_a_drill_that_failed_and_fails_at_the_end(
    ran: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LaptopError, match=rf"1 of {len(DRILLS)} drills failed, .*: memory$"):
        command(LaptopConfig(run=tmp_path), "all", None)
    assert ran == list(DRILLS)
    printed = capsys.readouterr().out
    assert "✘ memory: nightjar-flights-memory-drill is OK and not ALARM" in printed
    assert printed.count("was told, and cleared after 5 s") == len(DRILLS) - 1


def test_a_single_drill_that_fails_says_only_its_own_reason(ran: list[str], tmp_path: Path) -> None:
    with pytest.raises(LaptopError, match=r"^nightjar-flights-memory-drill is OK and not ALARM$"):
        command(LaptopConfig(run=tmp_path), "memory", None)
    assert ran == ["memory"]


def test_an_unknown_drill_is_refused_before_the_stack_is_asked(tmp_path: Path) -> None:
    with pytest.raises(LaptopError, match=r"There is no drill memories\. There are: latency, .*, and all$"):
        command(LaptopConfig(run=tmp_path), "memories", None)
