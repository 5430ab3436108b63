"""The gate fails closed: a day passes only if the audit's result says so explicitly."""

from __future__ import annotations

from typing import Any

import pytest

from include.pipelines.process.gate import evaluate_gate

GOOD = {"success": True, "critical_failures": [], "warnings": ["w"], "statistics": {}}
DAY = "2013-03-01"


def test_a_day_passes_when_the_audit_passed_it_and_warnings_do_not_matter() -> None:
    assert evaluate_gate({"days": {DAY: GOOD}}, [DAY]) == ([DAY], {}, {})


@pytest.mark.parametrize(
    ("audit", "reason"),
    [
        (None, "no result"),
        ("s3://x is not JSON", "unreadable"),
        ([], "unreadable"),
        ({}, "unreadable"),
        ({"days": []}, "unreadable"),
        ({"days": {}}, "does not contain this day"),
        ({"days": {DAY: None}}, "does not contain this day"),
        ({"days": {DAY: True}}, "does not contain this day"),
        ({"days": {DAY: {**GOOD, "success": False}}}, "success is False"),
        ({"days": {DAY: {**GOOD, "success": "true"}}}, "success is 'true'"),
        ({"days": {DAY: {**GOOD, "success": 1}}}, "success is 1"),
        ({"days": {DAY: {"critical_failures": []}}}, "success is None"),
        ({"days": {DAY: {"success": True}}}, "critical_failures is not a list"),
        ({"days": {DAY: {**GOOD, "critical_failures": None}}}, "critical_failures is not a list"),
        ({"days": {DAY: {**GOOD, "critical_failures": ["carrier: 20 % nulls"]}}}, "carrier: 20 % nulls"),
    ],
)
def test_everything_else_is_refused_with_the_reason(audit: Any, reason: str) -> None:
    evaluation = evaluate_gate(audit, [DAY])
    assert evaluation.passed == []
    assert reason in evaluation.refused[DAY]


def test_days_are_evaluated_one_by_one() -> None:
    audit = {"days": {"a": GOOD, "b": {**GOOD, "success": False}}}
    evaluation = evaluate_gate(audit, ["a", "b", "c"])
    assert evaluation.passed == ["a"]
    assert set(evaluation.refused) == {"b", "c"}
