"""What AWS charges for a job, from what it reports of it."""

from __future__ import annotations

from typing import Any

import pytest
from nightjar.jobs.usage import job_usage

from include.pipelines.cost.prices import prices
from include.pipelines.cost.usage import price_of
from include.workloads.jobs import GlueJobSpec
from tests.support.charges import ENDED

TABLE = prices()
DPU, VOLUME = TABLE.prices["glue_dpu_hour"].usd, TABLE.prices["job_volume_gb"].usd


def usage(service: str, **measured: Any) -> Any:
    return job_usage(service, "kind", "job-1", "SUCCEEDED", "key", ENDED, **measured)


def test_a_glue_run_costs_its_workers_for_its_time_and_at_least_a_minute() -> None:
    run: Any = {"size": "G.2X", "count": 3, "seconds": 1800}
    assert price_of(usage("glue", **run), TABLE).usd == pytest.approx(0.5 * 2 * 3 * DPU)
    assert price_of(usage("glue", **{**run, "seconds": 5}), TABLE).usd == pytest.approx(6 * DPU / 60)


def test_where_glue_reports_the_dpu_seconds_itself_they_count() -> None:
    scaled = price_of(usage("glue", size="G.1X", count=10, seconds=3600, dpu_seconds=7200.0), TABLE)
    assert scaled.usd == pytest.approx(2 * DPU)
    flexible = price_of(usage("glue", size="G.1X", count=2, seconds=3600, is_flexible=True), TABLE)
    assert flexible.usd == pytest.approx(2 * TABLE.prices["glue_flex_dpu_hour"].usd)


def test_a_query_costs_what_it_scans_and_at_least_ten_megabytes_and_a_failed_one_nothing() -> None:
    assert price_of(usage("athena", scanned_bytes=2 * 10**12), TABLE).usd == pytest.approx(10)
    assert price_of(usage("athena", scanned_bytes=1), TABLE).usd == pytest.approx(5e-5)
    assert price_of(usage("athena", scanned_bytes=10**12, is_free=True), TABLE).usd == 0


def test_a_sagemaker_job_costs_its_instances_and_their_volumes() -> None:
    found = price_of(usage("sagemaker", size="ml.m5.xlarge", count=2, seconds=1800, volume_gb=30), TABLE)
    assert found.usd == pytest.approx(0.23 + 30 * VOLUME / TABLE.hours)
    assert (found.quantity, found.unit) == (1, "hours of ml.m5.xlarge")


def test_what_the_table_has_no_price_for_is_named_and_has_none() -> None:
    unheard = price_of(usage("sagemaker", size="ml.unheard.large", count=1, seconds=60), TABLE)
    assert (unheard.usd, unheard.priced, unheard.unit) == (None, None, "hours of ml.unheard.large")
    assert price_of(usage("glue", size="Z.9X", count=2, seconds=60), TABLE).usd is None


def test_every_worker_type_that_a_workload_may_declare_with_a_dpu_has_a_price() -> None:
    declared: Any = GlueJobSpec.model_fields["worker_type"].annotation
    kinds = {kind for choice in declared.__args__ for kind in getattr(choice, "__args__", ())}
    assert {kind for kind in kinds if kind.startswith("G.")} <= set(TABLE.rules.worker_dpus)


def test_every_price_is_dated_and_says_where_it_is_from() -> None:
    assert TABLE.region
    for name, price in TABLE.prices.items():
        assert price.source and price.unit and price.noted, name
    assert TABLE.dated(["athena_tb"]) == TABLE.prices["athena_tb"].noted
