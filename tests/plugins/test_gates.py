"""The gate fails closed: only an audit that says so in so many words lets a day pass."""

from __future__ import annotations

from typing import Any

import pytest
from nightjar.gates import judge

GOOD = {"success": True, "critical_failures": [], "warnings": ["w"], "statistics": {}}
DAY = "2013-03-01"


def test_a_day_passes_when_the_audit_says_so_and_warnings_do_not_matter() -> None:
    assert judge({"days": {DAY: GOOD}}, [DAY]) == ([DAY], {})


@pytest.mark.parametrize(
    ("audit", "reason"),
    [
        (None, "no result"),
        ("s3://x is not JSON", "unreadable"),
        ([], "unreadable"),
        ({}, "unreadable"),
        ({"days": []}, "unreadable"),
        ({"days": {}}, "does not hold this day"),
        ({"days": {DAY: None}}, "does not hold this day"),
        ({"days": {DAY: True}}, "does not hold this day"),
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
    judgement = judge(audit, [DAY])
    assert judgement.passed == []
    assert reason in judgement.refused[DAY]


def test_days_are_judged_one_by_one() -> None:
    audit = {"days": {"a": GOOD, "b": {**GOOD, "success": False}}}
    judgement = judge(audit, ["a", "b", "c"])
    assert judgement.passed == ["a"]
    assert set(judgement.refused) == {"b", "c"}
