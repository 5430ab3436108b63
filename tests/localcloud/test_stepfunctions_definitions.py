"""ValidateStateMachineDefinition finds what is wrong in a definition's form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.localcloud.stepfunctions.definitions import problems

END = {"Type": "Succeed"}


def machine(**states: Any) -> str:
    """A definition that starts at its first state."""
    return json.dumps({"StartAt": next(iter(states)), "States": states})


@pytest.mark.parametrize(
    "definition",
    [
        machine(A=END),
        machine(A={"Type": "Pass", "Next": "B"}, B={"Type": "Fail"}),
        machine(A={"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "B"}]}, B=END),
        machine(A={"Type": "Parallel", "Branches": [json.loads(machine(B=END))], "End": True}),
        machine(A={"Type": "Map", "ItemProcessor": json.loads(machine(B=END)), "End": True}),
        machine(A={"Type": "Wait", "Seconds": 1, "End": True}),
    ],
)
def test_a_right_definition_has_no_problem(definition: str) -> None:
    assert problems(definition) == []


@pytest.mark.parametrize(
    ("definition", "code", "location"),
    [
        ("{", "INVALID_JSON_DESCRIPTION", "/"),
        ("[]", "SCHEMA_VALIDATION_FAILED", "/"),
        ('{"StartAt": "A", "States": {}}', "SCHEMA_VALIDATION_FAILED", "/States"),
        ('{"States": {"A": {"Type": "Succeed"}}}', "SCHEMA_VALIDATION_FAILED", "/StartAt"),
        ('{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}', "MISSING_TRANSITION_TARGET", "/StartAt"),
        (machine(A={"Type": "Job"}), "SCHEMA_VALIDATION_FAILED", "/States/A/Type"),
        (machine(A={"Type": "Task", "End": True}), "SCHEMA_VALIDATION_FAILED", "/States/A"),
        (machine(A={"Type": "Pass"}), "SCHEMA_VALIDATION_FAILED", "/States/A"),
        (machine(A={"Type": "Pass", "Next": "B"}), "MISSING_TRANSITION_TARGET", "/States/A/Next"),
        (machine(A={"Type": "Wait", "End": True}), "SCHEMA_VALIDATION_FAILED", "/States/A"),
        (
            machine(A={"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": {}}}], "End": True}),
            "SCHEMA_VALIDATION_FAILED",
            "/States/A/Branches[0]/States/B/Type",
        ),
    ],
)
def test_a_problem_is_found_where_it_is(definition: str, code: str, location: str) -> None:
    assert [(one.code, one.location) for one in problems(definition)] == [(code, location)]
