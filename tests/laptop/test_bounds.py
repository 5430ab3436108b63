"""For which nights the scheduler makes runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from infra.laptop import bounds
from infra.laptop.config import LaptopConfig

FIRST, SECOND, THIRD = (date(2013, 6, day) for day in (19, 20, 21))


def test_the_last_night_moves_and_the_first_one_stays(tmp_path: Path) -> None:
    config = LaptopConfig(run=tmp_path)
    assert bounds.read(config, "flights") is None
    assert bounds.allow(config, "flights", FIRST)
    assert bounds.allow(config, "flights", THIRD)
    assert not bounds.allow(config, "flights", SECOND), "it never moves back: Airflow has made the later runs"
    assert bounds.read(config, "flights") == (FIRST, THIRD)


def test_each_workload_has_its_own(tmp_path: Path) -> None:
    config = LaptopConfig(run=tmp_path)
    bounds.allow(config, "flights", FIRST)
    bounds.allow(config, "shop", SECOND)
    assert bounds.read(config, "flights") == (FIRST, FIRST)
    assert bounds.read(config, "shop") == (SECOND, SECOND)
