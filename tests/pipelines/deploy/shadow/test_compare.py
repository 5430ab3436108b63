"""The verdict on a shadow: each limit stops a version with its reason in words, and only then."""

from __future__ import annotations

from typing import Any

import pytest

from include.pipelines.deploy.shadow.compare import LATENCY_SLACK, verdict
from include.workloads.deploying import ShadowSpec
from tests.support.shadows import SPEC, report


def test_a_version_that_answers_nearly_as_the_live_one_goes_on_and_it_is_said_how_nearly() -> None:
    found = verdict(report(), SPEC)
    assert (found["go_on"], found["fault"]) == (True, False)
    (sentence,) = found["reasons"]
    assert sentence.startswith(
        "1000 requests scored again; mean difference of the probabilities 0.0100, largest 0.2000;"
    )
    assert "15 other labels (1.50%); 0 refused, 0 failed; 40 µs" in sentence


WORSE: dict[str, tuple[dict[str, Any], str]] = {
    "refused": ({"refused": {"requests": 2, "reasons": {"tailnum is missing": 2}}}, "tailnum is missing"),
    "failed": ({"failed": {"requests": 2, "reasons": {"features() failed": 2}}}, "features() failed"),
    "scores": ({"differences": {"mean": 0.1, "absolute": 0.11, "p95": 0.3, "largest": 0.4}}, "differ by 0.1100"),
    "labels": ({"changed": {"to_1": 90, "to_0": 11}}, "101 of 1000 requests get another label (10.10%: 90 get 1"),
    "slower": (
        {"latency": {"live": {"median": 400.0, "p95": 1.0}, "candidate": {"median": 801 + LATENCY_SLACK, "p95": 1.0}}},
        "It is slower",
    ),
}


@pytest.mark.parametrize("name", WORSE)
def test_each_limit_stops_a_version_and_says_why(name: str) -> None:
    changes, words = WORSE[name]
    found = verdict(report(**changes), SPEC)
    assert (found["go_on"], found["fault"]) == (False, True)
    assert words in found["reasons"][0]
    assert found["reasons"][-1] == "Compared on 1000 requests."
    relaxed = ShadowSpec(minimum_requests=100, score_difference=0.2, changed_labels=0.2, refused=0.01, latency_factor=3)
    assert verdict(report(**changes), relaxed)["go_on"]


def test_of_several_faults_all_are_named() -> None:
    changes: dict[str, Any] = {name: value for given, _ in WORSE.values() for name, value in given.items()}
    assert len(verdict(report(**changes), SPEC)["reasons"]) == 5  # refused and failed are one


def test_with_too_few_requests_the_workload_decides_and_nobody_is_at_fault() -> None:
    found = verdict(report(99), SPEC)
    assert (found["go_on"], found["fault"]) == (False, False)
    assert "has answered 99 requests in the newest 6 hours" in found["reasons"][0]
    assert verdict(report(99), ShadowSpec(minimum_requests=100, too_few="deploy"))["go_on"]


def test_a_fault_counts_on_few_requests_too_but_not_on_next_to_none() -> None:
    changes, _ = WORSE["refused"]
    assert verdict(report(30, **changes), SPEC)["fault"]
    assert not verdict(report(29, **changes), SPEC)["fault"]


def test_a_log_that_the_live_version_cannot_repeat_proves_nothing() -> None:
    control = {"requests": 1000, "differing": 11, "largest": 0.5}
    found = verdict(report(control=control, **WORSE["labels"][0]), SPEC)
    assert (found["go_on"], found["fault"]) == (False, False)
    assert "answers 11 of 1000 requests otherwise than it did" in found["reasons"][0]
    assert verdict(report(control={**control, "differing": 10}), SPEC)["go_on"]


def test_a_version_that_answers_nothing_is_at_fault() -> None:
    nothing: dict[str, Any] = {
        "differences": None,
        "latency": None,
        "refused": {"requests": 1000, "reasons": {"x is missing": 1000}},
    }
    found = verdict(report(changed={"to_1": 0, "to_0": 0}, **nothing), SPEC)
    assert found["fault"] and "1000 of 1000 requests (100.00%)" in found["reasons"][0]
