"""What a canary, and a shadow, needs is planned for the workload that has one, and for no other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.terraform_plans import WITH_CANARY, Plan

pytestmark = pytest.mark.stack

FLIGHTS = "flights"


def of(plan: Plan, address: str) -> dict[Any, Any]:
    """The resources of a type and name by their keys."""
    found = (it for it in plan.resources if f".{address}[" in f".{it.address.split('.', 2)[-1]}")
    return {resource.key: resource for resource in found}


def test_its_service_starts_without_tasks_and_has_a_target_group_of_its_own(prod: Plan) -> None:
    services, groups = of(prod, "aws_ecs_service.canary"), of(prod, "aws_lb_target_group.canary")
    assert {*services} == {*groups} == {WITH_CANARY}
    service, live = services[WITH_CANARY], of(prod, "aws_ecs_service.this")[WITH_CANARY]
    assert service.value("name") == f"nightjar-{WITH_CANARY}-canary"
    assert service.value("desired_count") == 0
    same = ("launch_type", "network_configuration", "deployment_circuit_breaker", "health_check_grace_period_seconds")
    assert [service.value(name) for name in same] == [live.value(name) for name in same]
    assert groups[WITH_CANARY].value("name") == f"nightjar-{WITH_CANARY}-c"
    assert len(f"nightjar-{'x' * 20}-c") <= 32


@pytest.mark.parametrize("rules", ["aws_lb_listener_rule.internal", "aws_lb_listener_rule.public"])
def test_its_rules_forward_by_weight_and_give_the_canary_nothing(prod: Plan, rules: str) -> None:
    found = of(prod, rules)
    weighted = {key for key, rule in found.items() if rule.is_set("action.0.forward")}
    assert weighted and all(str(key).startswith(WITH_CANARY) for key in weighted)
    assert {*found} - weighted
    for key in weighted:
        groups = found[key].value("action.0.forward.0.target_group")
        assert sorted(group["weight"] for group in groups) == [0, 100]
    assert all(found[key].is_set("action.0.target_group_arn") for key in {*found} - weighted)


def test_airflow_may_change_the_weights_only_then(prod: Plan) -> None:
    (policy,) = [it for it in prod.of("aws_iam_role_policy") if it.value("name") == "canary"]
    assert policy.value("role") == "nightjar-airflow"
    actions = {action for statement in policy.statements() for action in statement["Action"]}
    assert {"elasticloadbalancing:ModifyRule", "cloudwatch:GetMetricData"} <= actions


def test_jobs_may_read_the_prediction_log_only_where_a_workload_has_a_shadow(prod: Plan) -> None:
    (policy,) = [it for it in prod.of("aws_iam_role_policy") if it.value("name") == "shadow"]
    assert policy.value("role") == "nightjar-sagemaker"
    assert [statement["Action"] for statement in policy.statements()] == [["s3:GetObject"]]


def test_where_apis_are_reached_through_endpoints_the_load_balancers_is_too(dev: Plan, prod: Plan) -> None:
    assert "elasticloadbalancing" in of(prod, "aws_vpc_endpoint.interface")
    assert of(dev, "aws_vpc_endpoint.interface") == {}
