"""The inbox of the laptop: a queue that receives what a person would be sent by e-mail. ``make alerts`` reads it."""

from __future__ import annotations

import json

from infra.laptop.aws import Aws
from infra.laptop.bootstrap.data import ALERTS_TOPIC_ARN
from infra.laptop.bootstrap.definitions import NAMES

QUEUE = "nightjar-inbox"
ARN = f"arn:aws:sqs:{NAMES.region}:{NAMES.account}:{QUEUE}"
_RETENTION = 14 * 86_400  # seconds: the longest that SQS keeps a message


def create(aws: Aws) -> None:
    """Creates the queue and subscribes it to the topic of all messages to people. Both calls keep what exists."""
    statement = {
        "Sid": "Alerts",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": ARN,
        "Condition": {"ArnEquals": {"aws:SourceArn": ALERTS_TOPIC_ARN}},
    }
    url = aws.sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    attributes = {"MessageRetentionPeriod": str(_RETENTION), "Policy": policy}
    aws.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    aws.sns.subscribe(TopicArn=ALERTS_TOPIC_ARN, Protocol="sqs", Endpoint=ARN)
