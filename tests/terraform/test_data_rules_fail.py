"""Each rule of the lake, the jobs and Airflow finds what breaks it. The plans are made by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.lambdas.dead_man.main import NAMESPACE, PUBLISHED, RETRAINED
from tests.support import terraform_rules_of_data as rules
from tests.support.terraform_plans import hand_made
from tests.support.terraform_rules import Rule

RAW = 'module.lake.module.bucket["raw"].'
DENY = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}
CODE, RELEASE = "s3://artifact/code/0123456789ab/", "releases/0123456789ab/"
Resources = tuple[tuple[str, dict[str, Any]], ...]


def policy(condition: dict[str, Any]) -> dict[str, Any]:
    return {"policy": json.dumps({"Statement": [{**DENY, "Condition": condition}]})}


def job(**changes: Any) -> dict[str, Any]:
    arguments = {
        "--extra-py-files": f"{CODE}include.zip",
        "--additional-python-modules": f"{CODE}glue.gluewheels.zip",
        "--python-modules-installer-option": "--no-index",
    }
    good = {"command": [{"script_location": f"{CODE}audit.py"}], "security_configuration": "it"}
    return {**good, "default_arguments": arguments, **changes}


def airflow(**changes: Any) -> dict[str, Any]:
    good = {
        "plugins_s3_path": f"{RELEASE}plugins.zip",
        "requirements_s3_path": f"{RELEASE}requirements.txt",
        "dag_s3_path": f"{RELEASE}dags",
        "startup_script_s3_path": "startup/0.sh",
    }
    return {**good, **changes}


def alarm(metric: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    good = {
        "namespace": NAMESPACE,
        "metric_name": metric,
        "dimensions": {"Workload": "rides"},
        "alarm_actions": ["arn"],
        "treat_missing_data": "breaching",
    }
    return "aws_cloudwatch_metric_alarm", {**good, **changes}


def stream_of(workload: str) -> tuple[str, dict[str, Any]]:
    return f'module.lake.aws_kinesis_stream.events["{workload}"]', {"retention_period": 168}


def started_by_clock(name: str) -> Resources:
    return (
        ("aws_lambda_function", {"function_name": name}),
        ("aws_cloudwatch_event_rule", {"name": name, "schedule_expression": "rate(1 hour)"}),
        ("aws_cloudwatch_event_target", {"rule": name}),
        ("aws_lambda_permission", {"function_name": name}),
    )


WATCHED: Resources = (
    *started_by_clock("nightjar-dead-man"),
    *started_by_clock("nightjar-deadlines"),
    stream_of("rides"),
    alarm(PUBLISHED),
    alarm(RETRAINED, treat_missing_data="notBreaching"),
)
KEPT: list[tuple[Rule, Resources]] = [
    (rules.raw_is_write_once, ((f"{RAW}aws_s3_bucket_policy.this", policy({"Null": {"s3:if-none-match": "true"}})),)),
    (
        rules.accesses_logged,
        (
            ("module.lake.module.logs.aws_s3_bucket.this", {}),
            ("module.it.aws_s3_bucket.this", {}),
            ("aws_s3_bucket_logging", {}),
        ),
    ),
    (rules.nothing_is_lost, (stream_of("rides"), ("aws_sqs_queue", {"redrive_policy": "{}"}))),
    (rules.glue_code_is_fixed, (("aws_glue_job", job()),)),
    (rules.airflow_runs_one_release, (("aws_mwaa_environment", airflow()),)),
    (rules.silence_is_noticed, WATCHED),
]
BROKEN: list[tuple[Rule, Resources]] = [
    (rules.raw_is_write_once, ()),
    (
        rules.raw_is_write_once,
        ((f"{RAW}aws_s3_bucket_policy.this", policy({"Bool": {"aws:SecureTransport": "false"}})),),
    ),
    (
        rules.raw_is_write_once,
        (
            *KEPT[0][1],
            (f"{RAW}aws_s3_bucket_lifecycle_configuration.this", {"rule": [{"expiration": [{"days": 30}]}]}),
        ),
    ),
    (rules.accesses_logged, (("aws_s3_bucket", {}),)),
    (rules.nothing_is_lost, (("aws_dynamodb_table", {"point_in_time_recovery": [{"enabled": False}]}),)),
    (rules.nothing_is_lost, (("aws_kinesis_stream", {"retention_period": 24}),)),
    (rules.nothing_is_lost, (("aws_sqs_queue", {}),)),
    (rules.glue_code_is_fixed, (("aws_glue_job", job(command=[{"script_location": "s3://artifact/audit.py"}])),)),
    (rules.glue_code_is_fixed, (("aws_glue_job", job(security_configuration=None)),)),
    *(
        (rules.glue_code_is_fixed, (("aws_glue_job", job(default_arguments=job()["default_arguments"] | change)),))
        for change in (
            {"--additional-python-modules": "great-expectations"},
            {"--additional-python-modules": "s3://artifact/code/ba9876543210/glue.gluewheels.zip"},
            {"--python-modules-installer-option": "--upgrade"},
        )
    ),
    (rules.airflow_runs_one_release, (("aws_mwaa_environment", airflow(dag_s3_path="dags")),)),
    (
        rules.airflow_runs_one_release,
        (("aws_mwaa_environment", airflow(plugins_s3_path="releases/ba9876543210/plugins.zip")),),
    ),
    (rules.airflow_runs_one_release, (("aws_mwaa_environment", airflow(startup_script_s3_path=None)),)),
    *((rules.silence_is_noticed, WATCHED[:left] + WATCHED[left + 1 :]) for left in (*range(8), 9, 10)),
    (rules.silence_is_noticed, (*WATCHED[:9], alarm(PUBLISHED, treat_missing_data="notBreaching"), WATCHED[10])),
    (rules.silence_is_noticed, (*WATCHED[:9], alarm(PUBLISHED, alarm_actions=[]), WATCHED[10])),
    (rules.silence_is_noticed, (*WATCHED, stream_of("trips"))),
]


@pytest.mark.parametrize(("rule", "resources"), KEPT)
def test_what_keeps_a_rule_passes(rule: Rule, resources: Resources) -> None:
    assert rule(hand_made(*resources)) == []


@pytest.mark.parametrize(("rule", "resources"), BROKEN)
def test_what_breaks_a_rule_is_found(rule: Rule, resources: Resources) -> None:
    assert rule(hand_made(*resources))


def test_every_rule_is_shown_to_pass_and_to_fail() -> None:
    assert {rule for rule, _ in KEPT} == {rule for rule, _ in BROKEN} == set(rules.RULES)
