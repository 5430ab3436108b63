from __future__ import annotations

from typing import Any

import pytest

from infra.cost.estimate import Estimate, Estimator
from infra.cost.resources import from_plan
from infra.cost.tables import CostError, Usage, read_prices, read_usage
from tests.support.cost_plans import plan, resource, tasks

PRICES = read_prices()
USAGE = read_usage().environments["dev"]
VCPU = PRICES.prices["fargate_vcpu_hour"].usd * PRICES.hours


def _estimate(*resources: dict[str, Any], usage: Usage = USAGE, workloads: tuple[str, ...] = ("flights",)) -> Estimate:
    groups = from_plan(plan(*resources), PRICES, workloads)
    return Estimator(PRICES, usage, len(workloads)).estimate("dev", groups)


def _with(scope: str, name: str, amount: float) -> Usage:
    return USAGE.model_copy(update={scope: {**getattr(USAGE, scope), name: amount}})


def _usd(estimate: Estimate) -> dict[str, float]:
    return {line.what: round(line.usd, 6) for line in estimate.lines}


def test_a_service_costs_its_vcpus_and_memory() -> None:
    found = _usd(_estimate(tasks("flights", cpu="2048")))
    assert found["vCPUs of its tasks"] == pytest.approx(2 * VCPU)
    assert found["memory of its tasks"] == pytest.approx(2 * 0.004445 * 730)


def test_more_usage_changes_its_line_and_no_other() -> None:
    service, table = tasks("flights"), resource("module.lake.aws_dynamodb_table.state", "aws_dynamodb_table")
    before = _usd(_estimate(service, table))
    doubled = USAGE.workload["state_read_millions"] * 2
    after = _usd(_estimate(service, table, usage=_with("workload", "state_read_millions", doubled)))
    assert after.pop("reads") == pytest.approx(2 * before.pop("reads"))
    assert after == before


def test_resources_that_share_an_amount_split_it() -> None:
    one = resource("module.etl.aws_glue_job.a", "aws_glue_job")
    other = resource("module.etl.aws_glue_job.b", "aws_glue_job")
    assert _estimate(one, other).total == pytest.approx(_estimate(one).total)


def test_an_amount_is_split_over_a_workloads_own_resources_and_the_shared_ones() -> None:
    shared = resource("module.etl.aws_cloudwatch_log_group.jobs", "aws_cloudwatch_log_group")
    own = [resource(f'aws_cloudwatch_log_group.x["{name}"]', "aws_cloudwatch_log_group") for name in ("a", "b")]
    found = _estimate(shared, *own, workloads=("a", "b"))
    lines = [line for line in found.lines if line.unit == "GB" and line.what.startswith("log lines")]
    assert sum(line.quantity for line in lines) == pytest.approx(2 * USAGE.workload["log_gb"])
    assert sorted(line.quantity for line in lines) == pytest.approx([5, 5, 10])


def test_one_more_workload_costs_its_resources_and_its_use_of_shared_ones() -> None:
    shared = resource("module.serving.aws_lb.this", "aws_lb")
    job = resource("module.etl.aws_glue_job.a", "aws_glue_job")
    one = _estimate(tasks("a"), shared, job, workloads=("a",))
    two = _estimate(tasks("a"), tasks("b"), shared, job, workloads=("a", "b"))
    assert two.total - one.total == pytest.approx(one.one_more_workload)
    assert two.one_more_workload == pytest.approx(one.one_more_workload)
    assert one.total - one.one_more_workload == pytest.approx(PRICES.prices["load_balancer_hour"].usd * PRICES.hours)


def test_an_endpoint_is_charged_by_zone_and_a_gateway_endpoint_is_free() -> None:
    subnets = [
        resource(f"aws_subnet.x{i}", "aws_subnet", availability_zone=f"us-east-1{'ab'[i % 2]}") for i in range(4)
    ]
    endpoint = resource("aws_vpc_endpoint.a", "aws_vpc_endpoint", vpc_endpoint_type="Interface")
    gateway = resource("aws_vpc_endpoint.b", "aws_vpc_endpoint", vpc_endpoint_type="Gateway")
    (line,) = [line for line in _estimate(*subnets, endpoint, gateway).lines if line.what == "in each zone"]
    assert (line.count, line.quantity) == (1, 2 * PRICES.hours)


def test_workers_beyond_the_included_one_are_charged() -> None:
    environment = {"environment_class": "mw1.small", "min_workers": 3}
    found = _usd(_estimate(resource("aws_mwaa_environment.this", "aws_mwaa_environment", **environment)))
    assert found["further workers that always run"] == pytest.approx(2 * 0.055 * 730)


@pytest.mark.parametrize(
    ("planned", "message"),
    [
        (resource("aws_quantum_computer.x", "aws_quantum_computer"), r"does not know aws_quantum_computer of the plan"),
        (
            resource("aws_elasticache_replication_group.x", "aws_elasticache_replication_group", node_type="cache.big"),
            r"no price cache_node_hour\.cache\.big, which aws_elasticache_replication_group needs",
        ),
        (
            resource("aws_vpc_endpoint.x", "aws_vpc_endpoint", vpc_endpoint_type="Resource"),
            r"no charge of aws_vpc_endpoint for .*Resource",
        ),
        (
            resource("aws_ecs_task_definition.x", "aws_ecs_task_definition", cpu=None, memory="512"),
            r"The plan does not know cpu of a aws_ecs_task_definition",
        ),
    ],
)
def test_what_cannot_be_priced_is_an_error_that_names_it(planned: dict[str, Any], message: str) -> None:
    with pytest.raises(CostError, match=message):
        _estimate(planned)


def test_nested_modules_and_data_sources_are_read_rightly() -> None:
    key = resource('module.a.module.bucket["raw"].aws_kms_key.this', "aws_kms_key")
    data = {**resource("data.aws_region.current", "aws_region"), "mode": "data"}
    del key["values"]  # nothing is known of it
    inner = {"address": 'module.a.module.bucket["raw"]', "resources": [key]}
    nested = {"planned_values": {"root_module": {"resources": [data], "child_modules": [{"child_modules": [inner]}]}}}
    (group,) = from_plan(nested, PRICES, ["flights"])
    assert (group.module, group.type, group.workload, group.count) == ("a.bucket", "aws_kms_key", None, 1)
