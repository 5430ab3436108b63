"""One workload's backfill never delays another's night: pools, priorities, and what the jobs allow at once."""

from __future__ import annotations

from typing import Any

import pytest

from include.workloads import discover
from include.workloads.backfill import MAX_CONCURRENCY
from infra.airflow_api.pools import Pool, pools
from infra.laptop.bootstrap.definitions import definition
from tests.support.parsed_dags import parsed

pytestmark = pytest.mark.stack
DEFAULT, BACKFILLS = "default_pool", "nightjar_backfill"
PRIORITY = "nightjar.priority.RunTypeWeight"


def tasks() -> dict[str, dict[str, Any]]:
    """Every task of every DAG, by the ids of both."""
    dags = {name: dag for file in parsed()["files"].values() for name, dag in file["dags"].items()}
    return {f"{name}.{task}": described for name, dag in dags.items() for task, described in dag["tasks"].items()}


def problems(found: dict[str, dict[str, Any]], defined: dict[str, Pool]) -> list[str]:
    """What lets a backfill's task go before a night's, or wait for a pool that is not there."""
    wrong = [f"{name}: its pool {task['pool']} is not defined" for name, task in found.items()
             if task["pool"] not in {DEFAULT, *defined}]  # fmt: skip
    wrong += [f"{name}: its weight is not by the run's type" for name, task in found.items()
              if task["weight_rule"] != PRIORITY]  # fmt: skip
    unused = sorted(set(defined) - {task["pool"] for task in found.values()})
    return wrong + [f"the pool {name} is not used" for name in unused]


def places_for_nights(jobs: list[dict[str, Any]], defined: dict[str, Pool]) -> int:
    """How many nights' jobs Glue starts at once while as many runs of backfills work as their pool lets in."""
    allowed = min(job["ExecutionProperty"]["MaxConcurrentRuns"] for job in jobs)
    return int(allowed) - defined[BACKFILLS]["slots"]


def test_every_task_has_a_pool_that_is_defined_and_the_priority_of_its_runs_type() -> None:
    assert problems(tasks(), pools()) == []


def test_a_task_without_its_pool_or_priority_is_found() -> None:
    good = {"d.t": {"pool": BACKFILLS, "weight_rule": PRIORITY}}
    defined = {BACKFILLS: pools()[BACKFILLS]}
    assert problems(good, defined) == []
    assert problems({"d.t": {**good["d.t"], "pool": "absent"}}, {}) == ["d.t: its pool absent is not defined"]
    assert problems({"d.t": {**good["d.t"], "weight_rule": "downstream"}}, defined) == [
        "d.t: its weight is not by the run's type"
    ]
    assert problems(good, pools()) == ["the pool nightjar_publish is not used"]


def test_a_run_of_a_backfill_holds_its_place_from_its_trigger_to_its_end() -> None:
    """The task is deferred meanwhile: without ``include_deferred`` the pool would limit nothing."""
    assert pools()[BACKFILLS]["include_deferred"] is True
    limited = {name for name, task in tasks().items() if task["pool"] == BACKFILLS}
    assert limited == {f"{workload.name}_backfill.{group}.run" for workload in discover()[0]
                       for group in ("chunks", "retrains")}  # fmt: skip


def test_glue_has_a_place_for_every_workloads_night_beside_all_backfills() -> None:
    defined, jobs = pools(), definition("glue", code="s3://a/")["jobs"]
    assert places_for_nights(jobs, defined) >= len(discover()[0])
    assert places_for_nights([{"ExecutionProperty": {"MaxConcurrentRuns": 2}}], defined) == 0


def test_the_form_lets_nobody_ask_for_more_than_the_pool_has() -> None:
    """Otherwise the estimate would count on runs that wait for a place."""
    assert pools()[BACKFILLS]["slots"] == MAX_CONCURRENCY
