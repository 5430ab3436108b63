"""A job is recorded once, whoever sees its end and whoever adopts it; each failed attempt counts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from include.pipelines.cost.ledger import UNCLAIMED, charges, of_run, total
from include.pipelines.cost.prices import prices
from include.pipelines.cost.report import month_report
from include.pipelines.retrain.cost import version_cost
from tests.support.charges import ACCOUNTS, ENDED, WORKLOAD, claim, record_training
from tests.support.stores_in_memory import ItemsInMemory

HOUR = prices().prices["instance_hour.ml.m5.xlarge"].usd
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
def state() -> ItemsInMemory:
    return ItemsInMemory()


def november(state: ItemsInMemory) -> list[Any]:
    return charges(WORKLOAD, *NOVEMBER, state)


def test_a_job_that_several_see_the_end_of_counts_once_and_for_the_run_that_asked_first(state: ItemsInMemory) -> None:
    first, adopts = claim(run="first"), claim(run="second", at="2026-11-10T02:30:00+00:00")
    assert record_training(state, "nj-1", 2, first) == pytest.approx(2 * HOUR)
    record_training(state, "nj-1", 2, first, adopts)
    (item,) = november(state)
    assert (item["run"], item["stage"], item["usd"]) == ("shop_retrain/first", "training", pytest.approx(2 * HOUR))
    assert item["priced"] == prices().prices["instance_hour.ml.m5.xlarge"].noted.isoformat()


def test_each_failed_attempt_counts(state: ItemsInMemory) -> None:
    for name in ("nj-1", "nj-1-a2", "nj-1-a3"):
        record_training(state, name, 1, claim())
    assert total(november(state)) == pytest.approx(3 * HOUR)
    sentence = ACCOUNTS.run_sentence("shop_retrain", "scheduled__1", ENDED, state)
    assert sentence == "Its jobs cost $0.6900 (training $0.6900 in 3 jobs)."


def test_the_jobs_of_a_run_are_found_across_the_turn_of_a_month(state: ItemsInMemory) -> None:
    record_training(state, "nj-1", 1, claim(), ended=ENDED.replace(day=30, hour=23))
    record_training(state, "nj-2", 1, claim(), ended=ENDED.replace(month=12, day=1))
    record_training(state, "nj-3", 1, claim(run="other"), ended=ENDED.replace(month=12, day=1))
    found = of_run(WORKLOAD, "shop_retrain/scheduled__1", ENDED.replace(month=12, day=1), state)
    assert [item.get("job") for item in found] == ["nj-1", "nj-2"]
    assert ACCOUNTS.run_sentence("shop_retrain", "no jobs", ENDED, state) == ""


def test_a_job_that_no_run_asked_for_is_nobodys(state: ItemsInMemory) -> None:
    record_training(state, "by-hand", 1)
    assert november(state) == []
    (item,) = charges(UNCLAIMED, *NOVEMBER, state)
    assert (item["stage"], item["run"]) == ("training", "")
    assert ACCOUNTS.recorded(ENDED.date(), ENDED.date(), state) == {"by-hand"}


def test_a_job_without_a_price_is_named_and_makes_the_run_say_so(state: ItemsInMemory) -> None:
    record_training(state, "nj-1", 1, claim())
    key = next(iter(state.items))
    state.items[key] |= {"usd": None, "unit": "hours of ml.unheard"}
    assert "training unknown: no price of hours of ml.unheard" in ACCOUNTS.run_sentence(
        "shop_retrain", "scheduled__1", ENDED, state
    )
    assert month_report(WORKLOAD, "2026-11", november(state))["without_price"] == ["hours of ml.unheard"]


def test_a_month_is_summed_up_by_stage_day_and_run(state: ItemsInMemory) -> None:
    record_training(state, "nj-1", 1, claim())
    record_training(state, "nj-2", 3, claim("process", "manual__2", "submit_audit"), ended=ENDED + timedelta(days=1))
    record_training(state, "nj-0", 5, claim(), ended=ENDED - timedelta(days=30))
    report = month_report(WORKLOAD, "2026-11", november(state))
    assert report["usd"] == pytest.approx(4 * HOUR) == sum(report["days"].values()) == sum(report["runs"].values())
    assert {line["stage"]: line["usd"] for line in report["lines"]} == pytest.approx(
        {"audit": 3 * HOUR, "training": HOUR}
    )
    assert set(report["runs"]) == {"shop_retrain/scheduled__1", "shop_process/manual__2"}


def finished(**more: Any) -> Any:
    return {
        "dataset": {"scanned_bytes": 0, "query_execution_id": "q1"},
        "digest": {"scanned_bytes": 0, "query_execution_id": "q2"},
        "training": {"instance_type": "ml.m5.xlarge", "billable_seconds": 3600, "job_name": "nj-t-a2"},
        "evaluation": {"instance_type": "ml.m5.xlarge", "execution_seconds": 3600.0, "job_name": "nj-e"},
        **more,
    }


def test_a_version_has_cost_its_jobs_and_the_failed_attempts_at_them(state: ItemsInMemory) -> None:
    planned = "2026-11-10T01:00:00.000000Z"
    for job, key, hours in (("q1", "k", 1), ("q2", "k-digest", 1), ("nj-t", "nj-t", 10), ("nj-t-a2", "nj-t-a2", 2)):
        record_training(state, job, hours, claim(), key=key)
    record_training(state, "nj-other", 100, claim(), key="nj-other")
    alone = version_cost(WORKLOAD, finished(), planned, state)
    assert alone == f"{2 * HOUR + 1e-4:.4f}", "the evaluation is not in the ledger: what succeeded is priced"
    record_training(state, "nj-e", 1, claim(), key="nj-e")
    assert version_cost(WORKLOAD, finished(), planned, state) == f"{15 * HOUR:.4f}"
