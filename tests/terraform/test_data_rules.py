"""The lake, the jobs and Airflow keep their rules in the plan of the whole root."""

from __future__ import annotations

import pytest

from include.settings import Settings
from tests.support.terraform_plans import Plan
from tests.support.terraform_rules import Rule
from tests.support.terraform_rules_of_data import RULES

pytestmark = pytest.mark.stack

# What a plan cannot know yet, as AWS would answer it.
LATER = {
    "training_role_arn": "arn:aws:iam::123456789012:role/nightjar-sagemaker",
    "alerts_topic_arn": "arn:aws:sns:us-east-1:123456789012:nightjar-alerts",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_plan_keeps_the_rule(request: pytest.FixtureRequest, environment: str, rule: Rule) -> None:
    assert rule(request.getfixturevalue(environment)) == []


def test_the_settings_are_those_of_the_dags(prod: Plan) -> None:
    given = {name.removeprefix("NIGHTJAR_").lower(): value for name, value in prod.outputs["settings"].items()}
    needed = {name for name, field in Settings.model_fields.items() if field.is_required()}
    assert needed <= set(given) <= set(Settings.model_fields)
    known = {name: value for name, value in given.items() if value is not None}
    Settings(**{name: LATER.get(name, f"made-{name}") for name in given} | known)


def test_raw_is_locked_in_production_and_can_be_deleted_in_development(dev: Plan, prod: Plan) -> None:
    (lock,) = [lock for lock in prod.of("aws_s3_bucket_object_lock_configuration") if '["raw"]' in lock.address]
    assert lock.value("rule.0.default_retention.0.mode") == "GOVERNANCE"
    assert list(dev.of("aws_s3_bucket_object_lock_configuration")) == []
    assert all(bucket.value("force_destroy") for bucket in dev.of("aws_s3_bucket"))
    assert not any(bucket.value("force_destroy") for bucket in prod.of("aws_s3_bucket"))


def test_the_state_table_is_protected_in_production_only(dev: Plan, prod: Plan) -> None:
    for plan, protected in ((prod, True), (dev, False)):
        assert [table.value("deletion_protection_enabled") for table in plan.of("aws_dynamodb_table")] == [protected]


def test_each_workload_has_a_rule_for_its_own_drops(prod: Plan) -> None:
    drops = [rule for rule in prod.of("aws_cloudwatch_event_rule") if ".drop[" in rule.address]
    assert {rule.key for rule in drops} == {stream.key for stream in prod.of("aws_kinesis_stream")}
    assert len(drops) > 1


def test_airflow_has_a_log_group_for_each_component_before_mwaa_makes_one(prod: Plan) -> None:
    (environment,) = prod.of("aws_mwaa_environment")
    name = environment.value("name")
    made = {group.value("name") for group in prod.of("aws_cloudwatch_log_group")}
    components = ("DAGProcessing", "Scheduler", "Task", "WebServer", "Worker")
    assert {f"airflow-{name}-{component}" for component in components} <= made
