"""The deadline check: the function and its schedule that ``infra/definitions/deadlines.yaml`` defines."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from infra.laptop.aws import Aws
from infra.laptop.bootstrap.alarms import RUNBOOKS
from infra.laptop.bootstrap.data import ALERTS_TOPIC_ARN
from infra.laptop.bootstrap.definitions import NAMES, definition
from infra.laptop.bootstrap.roles import Role
from infra.laptop.config import ROOT, LaptopConfig
from infra.package.functions import DEADLINES, archive

NAME = definition("deadlines")["FunctionName"]
ARN = f"arn:aws:lambda:{NAMES.region}:{NAMES.account}:function:{NAME}"


def create(aws: Aws, config: LaptopConfig, state_table: str) -> None:
    """Creates the function and its schedule, or updates them. Nights are those that a person has asked for."""
    defined: dict[str, Any] = definition("deadlines")
    expression = defined.pop("ScheduleExpression")
    environment = {
        "STATE_TABLE": state_table,
        "TOPIC_ARN": ALERTS_TOPIC_ARN,
        "RUNBOOK": f"{RUNBOOKS}/night-deadline.md",
        "NIGHTS_FILE": str(config.nights_file),
    }
    settings = {**defined, "Role": Role("deadlines").arn, "Environment": {"Variables": environment}}
    try:
        aws.client("lambda").create_function(**settings, Code={"ZipFile": archive(ROOT, DEADLINES)})
    except aws.client("lambda").exceptions.ResourceConflictException:
        update_code(aws)
        del settings["Architectures"]  # a part of the code
        aws.client("lambda").update_function_configuration(**settings)
    rule = aws.events.put_rule(Name=NAME, ScheduleExpression=expression, Description="Starts the deadline check")
    aws.events.put_targets(Rule=NAME, Targets=[{"Id": "function", "Arn": ARN}])
    _permit(aws, rule["RuleArn"])


def update_code(aws: Aws) -> None:
    """Gives the function the code of this tree, and the schedules of its workloads."""
    aws.client("lambda").update_function_code(FunctionName=NAME, ZipFile=archive(ROOT, DEADLINES))


def _permit(aws: Aws, rule_arn: str) -> None:
    """Lets the rule invoke the function."""
    functions = aws.client("lambda")
    with suppress(functions.exceptions.ResourceNotFoundException):  # the first time
        functions.remove_permission(FunctionName=NAME, StatementId="Schedule")
    functions.add_permission(
        FunctionName=NAME,
        StatementId="Schedule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )
