"""The words and the pages of a backfill: approval, dry run, report, and that a value is never markup."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.errors import NothingToDoError, RefusedError
from include.lake.instants import format_instant
from include.pipelines.backfill.documents import backfill_name, read_plan, store_plan, store_report
from include.pipelines.backfill.page import plan_page
from include.pipelines.backfill.report import BackfillReport, make_report, require_nothing_failed
from include.pipelines.backfill.types import BackfillPlan
from include.pipelines.backfill.words import approval_reason, spans
from include.pipelines.measurements import record
from include.workloads import Workload
from tests.support.backfills import NOW, complete_to, march, planned, publish, raw
from tests.support.retrain_runs import State
from tests.support.tiny_workload import tiny_workload

USD = {"likely": 4.0, "low": 3.0, "high": 6.0}
SECONDS = {"likely": 660.0, "low": 500.0, "high": 900.0}


class Made:
    """A workload with raw data of ten days, and a plan over them."""

    def __init__(self, shop: Workload, **changes: Any) -> None:
        self.shop, self.objects = shop, raw(shop, march(1, 9))
        self.state: State = complete_to(shop, date(2013, 3, 10))
        self.plan: BackfillPlan = planned(shop, self.objects, self.state, **changes)

    def estimated(self, usd: Any = USD, seconds: Any = SECONDS) -> BackfillPlan:
        return {**self.plan, "estimate": {"seconds": seconds, "usd": usd, "basis": "3 past runs"}}

    def report(self, *failed: str) -> BackfillReport:
        begun = format_instant(NOW)
        return make_report(self.estimated(), begun, failed, NOW + timedelta(minutes=10), self.state)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tiny_workload(tmp_path))


def test_a_person_approves_what_may_cost_more_than_the_limit_or_has_no_known_cost(made: Made) -> None:
    assert "may cost $6.00, more than $5.00" in approval_reason(made.estimated())
    assert "is unknown" in approval_reason(made.estimated(usd=None))
    assert approval_reason(made.estimated(usd={**USD, "high": 5.0})) == ""


def test_a_plan_is_stored_and_read_again(made: Made) -> None:
    stored = store_plan(made.estimated(), "artifact", made.objects)
    assert stored["uri"] == "s3://artifact/backfills/shop/b/plan.json"
    assert read_plan(stored["uri"], made.objects) == made.estimated()
    assert [run["run_id"] for run in stored["chunks"]] == [chunk["run_id"] for chunk in made.plan["chunks"]]
    assert "9 days to process in 3 chunks, 8,100 records" in stored["sentence"]
    assert "1 without raw data" in stored["sentence"] and "about 11 min (8 min to 15 min)" in stored["sentence"]
    with pytest.raises(RefusedError, match="Was it deleted"):
        read_plan("s3://artifact/backfills/shop/b/other.json", made.objects)


def test_a_dry_run_and_an_empty_plan_end_with_the_plan(made: Made, tmp_path: Path) -> None:
    dry = Made(made.shop, dry_run=True)
    with pytest.raises(NothingToDoError, match=r"^Dry run\. .*9 days to process.* Plan: s3://artifact/.*plan\.html$"):
        store_plan(dry.plan, "artifact", dry.objects)
    assert ("artifact", "backfills/shop/b/plan.html") in dry.objects.bodies
    publish(made.plan, made.state, *made.plan["days"]["to_process"])
    with pytest.raises(NothingToDoError, match=r"9 published already .*There is nothing to do"):
        store_plan(planned(made.shop, made.objects, made.state), "artifact", made.objects)


def test_the_page_loads_nothing_and_shows_no_value_as_markup(made: Made) -> None:
    attack = "<script>alert(1)</script>"
    text = plan_page({**made.estimated(), "workload": attack, "code_sha": attack}).decode()
    assert "<script" not in text and "&lt;script&gt;" in text
    assert not re.search(r"(?:src|href)=|https?://|@import|url\(", text)
    assert "2013-03-01 to 2013-03-04" in text and made.plan["chunks"][0]["run_id"] in text


def test_a_report_says_what_became_of_each_day_and_how_far_the_estimate_was_off(made: Made) -> None:
    publish(made.plan, made.state, *made.plan["chunks"][0]["days"])
    publish(made.plan, made.state, *made.plan["chunks"][1]["days"], run="t2", status="refused")
    for run, usd in (("t1", 1.5), ("t2", 1.0)):
        found: Any = {"run": run, "days": 4, "rows": 1, "bytes": 1, "seconds": 1.0, "usd": usd}
        record("shop", "process", run, found, made.state)
    report = made.report(made.plan["chunks"][1]["run_id"])
    assert report["published"] == made.plan["chunks"][0]["days"]
    assert list(report["refused"]) == made.plan["chunks"][1]["days"]
    assert report["missing"] == ["2013-03-09"]
    assert (report["usd"], report["seconds"]) == (2.5, 600.0)
    assert report["seconds_error"] == pytest.approx(0.1)
    assert (
        "4 days published, 4 refused (2013-03-05 to 2013-03-08), 1 not processed (2013-03-09), 1 skipped"
        in (report["sentence"])
    )
    with pytest.raises(RefusedError, match=made.plan["chunks"][1]["run_id"]):
        require_nothing_failed(report)
    store_report(report, "artifact", made.objects)
    page = made.objects.bodies["artifact", "backfills/shop/b/report.html"].decode()
    assert "20 % &lt;nulls&gt;" in page and "+10%" in page


def test_a_report_of_published_days_is_green_and_a_day_that_an_earlier_run_refused_is_not_this_ones(made: Made) -> None:
    publish(made.plan, made.state, *made.plan["days"]["to_process"])
    require_nothing_failed(made.report())
    day = made.plan["chunks"][0]["days"][0]
    old = {"status": "refused", "run": "t0", "planned_at": "2013-01-01", "fingerprint": made.plan["fingerprints"][day]}
    made.state.put("day#shop", day, {**old, "reason": "old"})
    assert made.report()["missing"] == [day]


def test_a_failed_retrain_makes_the_report_red_although_every_day_is_published(made: Made) -> None:
    publish(made.plan, made.state, *made.plan["days"]["to_process"])
    with pytest.raises(RefusedError, match="retrain-2013-03-09-1"):
        require_nothing_failed(made.report("retrain-2013-03-09-1"))


def test_a_folder_is_named_after_the_range_and_the_run() -> None:
    name = backfill_name("2013-03-01", "2013-03-10", "manual__2026-01-01T00:00:00+00:00")
    assert re.fullmatch(r"2013-03-01_2013-03-10-[0-9a-f]{8}", name)
    assert name != backfill_name("2013-03-01", "2013-03-10", "manual__2026-01-01T00:00:01+00:00")


def test_days_are_written_as_ranges() -> None:
    assert spans(["2013-03-02", "2013-03-01", "2013-03-04"]) == "2013-03-01 to 2013-03-02, 2013-03-04"


def test_a_report_says_that_the_retrain_runs_cost_more(made: Made) -> None:
    daily = Made(made.shop, retrain_every="daily")
    publish(daily.plan, daily.state, *daily.plan["days"]["to_process"])
    record(
        "shop",
        "process",
        "t1",
        {"run": "t1", "days": 9, "rows": 1, "bytes": 1, "seconds": 1.0, "usd": 1.5},
        daily.state,
    )
    assert "for $1.50 and what the retrain runs cost" in daily.report()["sentence"]
