"""Every alarm has a drill, and its page says how to run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.laptop.bootstrap.alarms import Dimensions, read
from infra.laptop.drills.table import DRILLS

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
ALARMS = read("rides", "rides-events", Dimensions())


def test_every_alarm_has_a_drill_and_every_drill_an_alarm() -> None:
    alarms = {*ALARMS.metric, *ALARMS.composite}
    assert alarms - set(DRILLS) == set(), "add a line to infra/laptop/drills/table.py"
    assert set(DRILLS) - alarms == set()


@pytest.mark.parametrize("name", DRILLS)
def test_its_page_says_how_to_drill_it(name: str) -> None:
    section = (RUNBOOKS / f"{name}.md").read_text().partition("## How to drill it\n")[2]
    assert f"`make drill ALARM={name}`" in section


@pytest.mark.parametrize("drill", DRILLS.values(), ids=list(DRILLS))
def test_it_says_what_it_does(drill: object) -> None:
    assert len(str(getattr(drill, "what", ""))) > 20
