from __future__ import annotations

import pytest

from benchmarks.data.dollars import BEFORE, RAW_OBJECTS, dollars, rows
from include.pipelines.cost.prices import prices


def test_a_night_is_priced_by_the_price_table() -> None:
    table = prices()
    found = dollars(BEFORE._replace(transform_seconds=120.0), 20_000_000)
    dpu_hours = 2 * (120 + table.rules.glue_minimum_seconds) / 3600
    assert found["DPU seconds"] == pytest.approx(dpu_hours * table.prices["glue_dpu_hour"].usd)
    requests = BEFORE.transform_requests + RAW_OBJECTS * BEFORE.puts_per_raw_object
    assert found["requests"] == pytest.approx(requests / 1000 * table.prices["s3_put_thousand"].usd)
    assert found["bytes scanned"] == pytest.approx(2 * 20e6 / 1e12 * table.prices["athena_tb"].usd)


def test_fewer_requests_cost_less_and_a_second_below_the_minimum_nothing() -> None:
    before, now = rows(BEFORE._replace(transform_seconds=1.0, transform_requests=15), 0)
    assert before.value is not None and now.value is not None
    assert before.value - now.value == pytest.approx(185 / 1000 * prices().prices["s3_put_thousand"].usd * 100)
    assert "200 requests" in before.note and "15 requests" in now.note
