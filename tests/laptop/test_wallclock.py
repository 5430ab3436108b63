from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.laptop import wallclock
from infra.laptop.config import LaptopConfig

START = 1_800_000_000.0
END = datetime.fromtimestamp(START + 300.04, UTC)


@pytest.fixture
def config(tmp_path: Path) -> LaptopConfig:
    stamp = tmp_path / "venvs" / "laptop" / ".stamp"
    stamp.parent.mkdir(parents=True)
    stamp.write_text("digest")
    os.utime(stamp, (START + 60, START + 60))
    (tmp_path / "run").mkdir()
    return LaptopConfig(home=tmp_path, run=tmp_path / "run")


def test_the_first_run_with_its_set_up(config: LaptopConfig) -> None:
    (run,) = wallclock.runs(config, {wallclock.STARTED: str(START)}, END)
    assert run == {"started": "2027-01-15T08:00:00+00:00", "seconds": 300.0, "first": True, "set_up": True}


def test_a_run_that_installed_nothing_has_no_set_up(config: LaptopConfig) -> None:
    (run,) = wallclock.runs(config, {wallclock.STARTED: str(START + 61)}, END)
    assert not run["set_up"]


def test_earlier_runs_are_kept_and_only_the_first_is_first(config: LaptopConfig) -> None:
    first = wallclock.runs(config, {wallclock.STARTED: str(START)}, END)
    (config.state / "summary.json").write_text(json.dumps({"runs": first}))
    both = wallclock.runs(config, {wallclock.STARTED: str(START + 200)}, END)
    assert both[0] == first[0]
    assert (both[1]["first"], both[1]["set_up"]) == (False, False)


def test_a_run_without_a_known_start_is_not_recorded(config: LaptopConfig) -> None:
    assert wallclock.runs(config, {}, END) == []
