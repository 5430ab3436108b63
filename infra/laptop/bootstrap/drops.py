"""File drops: the queues, the rule and its target that ``infra/definitions/drops.yaml`` defines."""

from __future__ import annotations

import json
from typing import Any

from infra.laptop.aws import Aws
from infra.laptop.bootstrap.definitions import NAMES, definition, loopback_policy


def create(aws: Aws, workload: str) -> None:
    """Creates what makes a dropped file a message, or updates it."""
    defined = definition("drops", workload=workload)
    rule = {**defined["rule"], "EventPattern": json.dumps(defined["rule"]["EventPattern"])}
    rule_arn = aws.events.put_rule(**rule)["RuleArn"]
    dead = _queue(aws, defined["dead_letter_queue"], rule_arn)
    redrive = {"deadLetterTargetArn": dead, "maxReceiveCount": defined["max_receive_count"]}
    arn = _queue(aws, defined["queue"], rule_arn, RedrivePolicy=json.dumps(redrive))
    aws.events.put_targets(Rule=rule["Name"], Targets=[{"Id": "queue", "Arn": arn, "DeadLetterConfig": {"Arn": dead}}])


def _queue(aws: Aws, defined: dict[str, Any], rule_arn: str, **more: str) -> str:
    """Creates a queue, or updates it; returns its ARN."""
    name = defined["QueueName"]
    arn = f"arn:aws:sqs:{NAMES.region}:{NAMES.account}:{name}"
    document = loopback_policy("queues", "drops", queue=arn, rule=rule_arn)
    attributes = {key: str(value) for key, value in defined["Attributes"].items()}
    try:
        url = aws.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except aws.sqs.exceptions.QueueDoesNotExist:
        url = aws.sqs.create_queue(QueueName=name)["QueueUrl"]
    aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={**attributes, "Policy": json.dumps(document), **more})
    return arn
