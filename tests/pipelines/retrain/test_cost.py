"""The estimate of a retrain run's cost."""

from __future__ import annotations

from include.pipelines.retrain.cost import training_and_query_cost


def test_jobs_and_queries_are_added_up() -> None:
    jobs = [("ml.m5.xlarge", 3600.0), ("ml.m5.xlarge", 1800.0)]
    assert training_and_query_cost(jobs, [10**12]) == "5.3450"


def test_a_query_costs_at_least_ten_megabytes() -> None:
    assert training_and_query_cost([], [0] * 100) == training_and_query_cost([], [10_000_000] * 100) == "0.0050"


def test_an_instance_type_without_a_price_makes_the_cost_unknown() -> None:
    assert training_and_query_cost([("ml.unheard", 1.0)], []) == "unknown"
