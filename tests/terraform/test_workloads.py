"""A folder in include/workloads is all that a workload needs: Terraform plans the same for each, unedited."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.terraform_plans import ADDED, Plan, Resource

pytestmark = pytest.mark.stack

OF_A_WORKLOAD = {
    "aws_cloudwatch_log_group", "aws_cloudwatch_metric_alarm", "aws_ecs_service", "aws_ecs_task_definition",
    "aws_iam_role", "aws_iam_role_policy", "aws_kinesis_firehose_delivery_stream", "aws_kinesis_stream",
    "aws_lb_listener_rule", "aws_lb_target_group", "aws_route53_record", "aws_sagemaker_model_package_group",
    "aws_secretsmanager_secret", "aws_ssm_parameter",
}  # fmt: skip


def kinds(plan: Plan, workload: str) -> Counter[str]:
    """How many resources of each type and name a workload has: those with its name in their addresses."""
    return Counter(_kind(resource, workload) for resource in plan.resources if f'"{workload}' in resource.address)


def _kind(resource: Resource, workload: str) -> str:
    return resource.address.replace(workload, "<workload>")


@pytest.mark.parametrize("added", ADDED)
def test_a_new_folder_gets_what_the_first_workload_has(prod: Plan, added: str) -> None:
    first = kinds(prod, "flights")
    assert kinds(prod, added) == first
    types = {address.split('"')[0].split("[")[0] for address in first}
    missing = {kind for kind in OF_A_WORKLOAD if not any(f"{kind}." in address or kind in types for address in first)}
    assert missing == set()


def test_names_in_aws_differ_by_workload(prod: Plan) -> None:
    streams = [stream.values["name"] for stream in prod.of("aws_kinesis_stream")]
    assert len(streams) == len(set(streams)) >= 1 + len(ADDED)
