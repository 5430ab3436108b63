"""The plan of the whole root keeps the rules, and a plan that breaks one is found."""

from __future__ import annotations

import pytest

from tests.support.terraform_plans import Plan
from tests.support.terraform_rules import RULES, Rule

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_plan_keeps_the_rule(request: pytest.FixtureRequest, environment: str, rule: Rule) -> None:
    assert rule(request.getfixturevalue(environment)) == []


def test_the_default_group_is_left_without_rules(prod: Plan) -> None:
    assert [group.module for group in prod.of("aws_default_security_group")] == ["network"]


def test_production_has_no_way_to_the_internet_and_development_one_gateway(dev: Plan, prod: Plan) -> None:
    assert list(prod.of("aws_nat_gateway")) == []
    # CloudFront asks for an internet gateway; no route leads to it.
    assert [gateway.module for gateway in prod.of("aws_internet_gateway")] == ["edge"]
    assert [route for route in prod.of("aws_route") if route.is_set("gateway_id")] == []
    (gateway,) = dev.of("aws_nat_gateway")
    public = [subnet for subnet in dev.of("aws_subnet") if ".public[" in subnet.address]
    assert gateway.key in {subnet.key for subnet in public}


@pytest.mark.parametrize("subject", ["plan", "apply", "release"])
def test_only_a_named_branch_or_environment_of_the_repository_assumes_a_delivery_role(prod: Plan, subject: str) -> None:
    (role,) = [role for role in prod.of("aws_iam_role") if role.values["name"] == f"nightjar-github-{subject}"]
    (trust,) = role.statements("assume_role_policy")
    subjects = trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    expected = "ref:refs/heads/main" if subject == "plan" else "environment:prod"
    assert subjects == [f"repo:example/nightjar:{expected}"]
