"""Hysteresis, and how often a retrain run is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.errors import ConflictError, NothingToDoError
from include.pipelines.monitor.history import confirmed, remember
from include.pipelines.monitor.request import request_retrain
from include.workloads import Workload
from tests.support.stores_in_memory import ItemsInMemory
from tests.support.tiny_workload import tiny_workload

DRIFT = {"feature x": "why"}


def windows(text: str) -> dict[str, dict[str, str]]:
    """``.`` is a quiet window, ``x`` a drifted one."""
    return {f"2013-01-{day:02}": DRIFT if letter == "x" else {} for day, letter in enumerate(text, 1)}


@pytest.mark.parametrize(
    ("text", "is_confirmed"),
    [
        ("x", False), (".x", False), ("xx", True), ("x.", False), ("x...x", True), ("x....x", False), ("xxxx.", False),
        ("xx...x", True),
    ],
)  # fmt: skip
def test_two_of_the_last_five_and_the_newest(text: str, is_confirmed: bool) -> None:
    found = windows(text)
    assert bool(confirmed(found, max(found))) is is_confirmed


def test_a_window_that_is_looked_at_again_counts_once_and_later_ones_do_not_count() -> None:
    state = ItemsInMemory()
    assert remember("shop", "lake", "2013-01-02", DRIFT, state) == {}
    assert remember("shop", "lake", "2013-01-02", DRIFT, state) == {}
    assert remember("shop", "lake", "2013-01-01", DRIFT, state) == {}, "its only other window is later"
    assert remember("shop", "lake", "2013-01-02", DRIFT, state) == DRIFT
    assert remember("shop", "log", "2013-01-03", DRIFT, state) == {}, "another source"


def test_windows_that_are_long_past_are_forgotten() -> None:
    state = ItemsInMemory()
    for name in windows("." * 30):
        remember("shop", "lake", name, {}, state)
    (item,) = state.items.values()
    assert len(item["windows"]) == 12 and max(item["windows"]) == "2013-01-30"


def test_two_runs_at_the_same_time_do_not_lose_a_window() -> None:
    class Interrupted(ItemsInMemory):
        def get(self, pk: str, sk: str) -> dict[str, Any] | None:
            found = super().get(pk, sk)
            self.put(pk, sk, {"windows": {}, "revision": (found or {"revision": 0})["revision"] + 1})
            return found

    with pytest.raises(ConflictError, match="at the same time"):
        remember("shop", "lake", "2013-01-01", {}, Interrupted())


@pytest.fixture
def wanting(tmp_path: Path) -> Workload:
    return tiny_workload(tmp_path, monitor={"retrain_on_drift": True})


def test_a_retrain_run_is_asked_for_once_a_day(wanting: Workload) -> None:
    state = ItemsInMemory()
    first = request_retrain(wanting, "2013-03-02T10:00:00.000000Z", "2013-03-01", DRIFT, state)
    assert first == {"run_id": "drift-2013-03-01-asked-2013-03-02", "conf": {"date": "2013-03-01"}}
    again = request_retrain(wanting, "2013-03-02T10:00:00.000000Z", "2013-03-01", DRIFT, state)
    assert again == first, "a retry of the task"
    with pytest.raises(NothingToDoError, match="asked for today already"):
        request_retrain(wanting, "2013-03-02T11:00:00.000000Z", "2013-03-01", DRIFT, state)
    with pytest.raises(NothingToDoError, match="asked for today already"):
        request_retrain(wanting, "2013-03-01T11:00:00.000000Z", "2013-02-28", DRIFT, state)
    later = request_retrain(wanting, "2013-03-03T00:00:00.000000Z", "2013-03-01", DRIFT, state)
    assert later["run_id"] == "drift-2013-03-01-asked-2013-03-03"


def test_without_drift_or_without_the_line_in_the_workload_none_is_asked_for(wanting: Workload, tmp_path: Path) -> None:
    state = ItemsInMemory()
    with pytest.raises(NothingToDoError, match="No drift is confirmed"):
        request_retrain(wanting, "2013-03-02T10:00:00.000000Z", "2013-03-01", {}, state)
    (tmp_path / "other").mkdir()
    with pytest.raises(NothingToDoError, match=r"monitor\.retrain_on_drift"):
        request_retrain(tiny_workload(tmp_path / "other"), "2013-03-02T10:00:00.000000Z", "2013-03-01", DRIFT, state)
    assert state.items == {}
