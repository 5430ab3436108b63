"""expectations.yaml: the keys that belong to no event type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.tiny_workload import DOCUMENT, EXPECTATIONS, document, refusal


@pytest.mark.parametrize(
    ("shared", "text"),
    [
        ({"tables": {"nobody": {}}}, "tables.nobody: is not a table of this workload"),
        (
            {"tables": {"makers": {"quarantine": 2}}},
            "tables.makers.quarantine: Input should be less than or equal to 1",
        ),
        ({"comparison": [{"expectation": "offered.volume", "off": True}]}, "comparison.0.reason: Field required"),
        (
            {"comparison": [{"expectation": "offered.volume", "reason": "there is a reason"}]},
            "comparison.0: write either `off: true` or at least one limit",
        ),
        (
            {"comparison": [{"expectation": "offered.volum", "off": True, "reason": "there is a reason"}]},
            "comparison.0.expectation: offered.volum names no expectation",
        ),
        (
            {"comparison": [{"expectation": "offered.nulls(colour)", "off": True, "reason": "there is a reason"}]},
            "comparison.0.expectation: offered.nulls(colour) names no expectation",
        ),
    ],
)
def test_mistakes_in_what_belongs_to_no_event_type(tmp_path: Path, shared: dict[str, Any], text: str) -> None:
    assert text in refusal(tmp_path, expectations={**EXPECTATIONS, **shared})


def test_an_event_type_cannot_have_the_name_of_a_key_of_the_expectations(tmp_path: Path) -> None:
    events = {**DOCUMENT["events"], "tables": DOCUMENT["events"]["rated"]}
    del events["rated"]
    workload = document(events=events, label={"event": "tables", "expression": "stars > 4"})
    expectations = {"offered": EXPECTATIONS["offered"], "tables": {}}
    assert "tables: has a meaning of its own in this file" in refusal(
        tmp_path, workload=workload, expectations=expectations
    )
