"""Rows of what `make run` and `make nights` have recorded in the run folder: nights, and whole runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from benchmarks.table import Row
from infra.laptop.config import LaptopConfig
from infra.laptop.night_log import NightRecord

NIGHT_SECONDS = 40.0
FIRST_NIGHT_SECONDS, CLEAN_SECONDS, AGAIN_SECONDS = 150.0, 210.0, 25.0


def recorded_runs(config: LaptopConfig) -> list[dict[str, Any]]:
    """The runs of `make run` in this run folder, oldest first."""
    file = config.state / "summary.json"
    return json.loads(file.read_text()).get("runs", []) if file.is_file() else []


def night_row(nights: Sequence[NightRecord]) -> Row:
    """The newest night of a workload that was made to its end."""
    made = [night for night in nights if night.status == "done"]
    if not made:
        return Row("a night, from its events to its deploy", None, "s", NIGHT_SECONDS, "no night is recorded here")
    note = ", ".join(f"{night.day} {night.seconds:.0f}" for night in made[-5:])
    return Row("a night, from its events to its deploy", made[-1].seconds, "s", NIGHT_SECONDS, note)


def rows(runs: Sequence[Mapping[str, Any]], nights: Mapping[str, Sequence[NightRecord]]) -> list[Row]:
    """The first run after a clone, set-up included, and the newest of the later runs."""
    clean = next((run for run in runs if run["first"] and run["set_up"]), None)
    again = next((run for run in reversed(runs) if not run["first"]), None)
    missing = "no first run with set-up is recorded here" if runs else "no run is recorded here: run `make run`"
    return [
        _first_night_row(clean, nights, missing),
        _run_row("`make run` from a clean clone", clean, CLEAN_SECONDS, missing),
        _run_row("`make run` again", again, AGAIN_SECONDS, "no second run is recorded here: run `make run` again"),
    ]


def _first_night_row(clean: Mapping[str, Any] | None, nights: Mapping[str, Sequence[NightRecord]], missing: str) -> Row:
    """From the start of the first run to the end of the first night that became green."""
    name = "clean clone to the first green night"
    ends = [
        datetime.fromisoformat(night.ended)
        for made in nights.values()
        for night in made
        if night.status == "done" and night.ended
    ]
    if clean is None or not ends:
        return Row(name, None, "s", FIRST_NIGHT_SECONDS, missing if clean is None else "no night has a time")
    seconds = (min(ends) - datetime.fromisoformat(clean["started"])).total_seconds()
    return Row(name, seconds, "s", FIRST_NIGHT_SECONDS)


def _run_row(name: str, run: Mapping[str, Any] | None, at_most: float, missing: str) -> Row:
    if run is None:
        return Row(name, None, "s", at_most, missing)
    return Row(name, run["seconds"], "s", at_most, f"started {run['started']}")
