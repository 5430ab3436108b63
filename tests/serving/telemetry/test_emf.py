from __future__ import annotations

import json
import math

import pytest

from serving.telemetry import emf
from tests.support.telemetry import MODEL, finished, health_check


def test_a_line_follows_the_specification():
    window = emf.Window()
    for ended in (100.002, 100.002, 100.05):
        window.finished(finished(ended=ended, cache="hit"))
    window.finished(finished(status=422, warnings=2))
    window.finished(finished(status=503, route="other", scores=False))
    window.depths(4, 2)
    line = emf.line("Nightjar", MODEL, window.take(), 1_700_000_000.1234)
    assert line.endswith(b"}\n")
    metrics = json.loads(line)
    directive = metrics["_aws"]["CloudWatchMetrics"][0]
    assert metrics["_aws"]["Timestamp"] == 1_700_000_000_123
    assert directive["Namespace"] == "Nightjar"
    assert directive["Dimensions"] == [["Workload"], ["Workload", "ModelVersion"]]
    assert (metrics["Workload"], metrics["ModelVersion"]) == ("texts", "7")
    assert all(metric["Name"] in metrics for metric in directive["Metrics"])
    assert {"Name": "Latency", "Unit": "Milliseconds"} in directive["Metrics"]
    assert (
        metrics["Requests"],
        metrics["Errors4xx"],
        metrics["Errors5xx"],
        metrics["Warnings"],
        metrics["CacheHits"],
    ) == (
        5,
        1,
        1,
        2,
        3,
    )
    assert (metrics["QueueDepth"], metrics["InFlight"]) == (4, 2)
    assert metrics["Latency"]["Counts"] == [2, 1, 1]
    assert metrics["Latency"]["Values"] == pytest.approx([2, 4.2, 50], rel=0.063)


def test_a_window_is_reset_and_an_empty_one_has_no_latency():
    window = emf.Window()
    window.finished(finished())
    window.take()
    values = window.take()
    assert values["Requests"] == 0
    assert "Latency" not in values


def test_scores_are_counted_in_bins_and_reported_as_their_middles():
    window = emf.Window()
    for probability in (0.0, 0.019, 0.02, 0.5, 0.999, 1.0):
        window.scored(probability)
    values = window.take()
    assert values["Score"] == {"Values": [0.01, 0.03, 0.51, 0.99], "Counts": [2, 1, 1, 2]}
    metrics = json.loads(emf.line("Nightjar", MODEL, values, 1.0))["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    assert {"Name": "Score", "Unit": "None"} in metrics
    assert "Score" not in window.take()


def test_health_checks_are_in_no_figure():
    window = emf.Window()
    window.finished(health_check())
    window.finished(health_check(route="/ready", status=503))
    values = window.take()
    assert (values["Requests"], values["Errors5xx"]) == (0, 0)
    assert "Latency" not in values


def test_only_predictions_have_a_latency():
    window = emf.Window()
    window.finished(finished(route="/docs", scores=False))
    assert "Latency" not in window.take()


def test_at_most_a_hundred_values_each_near_the_true_one():
    seen = {emf.bucket(0.05 * 1.0001**step) for step in range(122_000)}
    assert seen == set(range(emf.BUCKETS))
    for milliseconds in (0.06, 0.5, 1.0, 7.7, 123.4, 9_999.0):
        assert math.isclose(emf.middle(emf.bucket(milliseconds)), milliseconds, rel_tol=0.063)
    assert (emf.bucket(0.0), emf.bucket(-1.0), emf.bucket(1e9)) == (0, 0, emf.BUCKETS - 1)
