"""What a day's status means to a task that waits for it."""

from __future__ import annotations

from typing import Any

import pytest

from include.errors import RefusedError
from include.pipelines.process.days import RefusedDayError, day_status

KEY = ("day#w", "2013-03-01")


def test_a_published_day_ends_the_wait_with_its_run() -> None:
    assert day_status({KEY: {"status": "published", "run": "r1"}}) == {"status": "published", "run": "r1"}


@pytest.mark.parametrize(
    ("item", "reason"), [({"reason": "20 % nulls in carrier"}, "20 % nulls in carrier"), ({}, "no reason given")]
)
def test_a_refused_day_is_refused_with_the_reason(item: dict[str, Any], reason: str) -> None:
    with pytest.raises(RefusedDayError, match=f"^Day 2013-03-01 was refused: {reason}$"):
        day_status({KEY: {"status": "refused", **item}})


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"status": "refused", "run": "r", "reason": "nulls"}, "was refused: nulls"),
        ({"status": "empty"}, "has no events"),
    ],
)
def test_a_missing_day_ends_the_wait_too_if_the_workload_tolerates_any(item: dict[str, Any], text: str) -> None:
    assert day_status({KEY: item}, tolerated=1) == {"status": item["status"], "run": item.get("run", "")}
    with pytest.raises(RefusedError, match=f"^Day 2013-03-01 {text}$") as caught:
        day_status({KEY: item})
    assert isinstance(caught.value, RefusedDayError) is (item["status"] == "refused"), "only that has failed its run"


@pytest.mark.parametrize("item", [None, {}, {"status": None}, {"status": "running"}, {"status": "PUBLISHED"}])
def test_no_other_status_is_final(item: Any) -> None:
    assert day_status({KEY: item}) is None
