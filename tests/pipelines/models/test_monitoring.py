"""The monitor's metrics: one call asks for all, and the newest value of each is shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from include.pipelines.models import monitoring
from tests.support.models_page import START


def result(index: int, **values: float) -> dict[str, Any]:
    hours = {name: START + timedelta(hours=int(name[1:])) for name in values}
    return {"Id": f"m{index}", "Timestamps": [*hours.values()], "Values": [*values.values()]}


def test_one_request_asks_for_every_metric_of_the_workload() -> None:
    queries = monitoring.queries("flights")
    assert [query["MetricStat"]["Metric"]["MetricName"] for query in queries] == [m.name for m in monitoring.METRICS]
    assert len({query["Id"] for query in queries}) == len(queries)
    assert all(
        query["MetricStat"]["Metric"]["Dimensions"] == [{"Name": "Workload", "Value": "flights"}] for query in queries
    )


def test_the_newest_value_counts_whatever_the_order() -> None:
    first, second = monitoring.latest([result(1, h1=0.1, h3=0.3, h2=0.2), result(0, h2=4.0)])[:2]
    assert (first["value"], first["digits"], first["at"]) == (4.0, 0, "2026-11-01T02:00:00+00:00")
    assert second["value"] == 0.3


def test_what_was_not_measured_has_no_value() -> None:
    assert [one["value"] for one in monitoring.latest([result(0)])] == [None] * len(monitoring.METRICS)


def test_a_metric_that_answers_in_two_parts_is_read_whole() -> None:
    assert monitoring.latest([result(0, h5=5.0), result(0)])[0]["value"] == 5.0
