"""The provider's SNS operator and notifier: messages that arrive in a queue."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import Cloud
from tests.support.policed_roles import allow, document
from tests.support.system_runs import SystemRun

pytestmark = pytest.mark.stack


def queue_on(cloud: Cloud, topic: str, **attributes: str) -> str:
    """A queue that is subscribed to the topic; returns its URL."""
    sqs = cloud.client("sqs")
    url: str = sqs.create_queue(QueueName="system-sns", Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = document({**allow("sqs:SendMessage", arn), "Principal": {"Service": "sns.amazonaws.com"}})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    cloud.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"FilterPolicy": json.dumps({"kind": ["alarm"]})}
    )
    return url


def received(cloud: Cloud, url: str) -> list[dict[str, Any]]:
    """The notifications in the queue."""
    found = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
    return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def test_published_messages_arrive_where_the_filter_lets_them(
    cloud: Cloud, system_run: Callable[..., SystemRun]
) -> None:
    from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
    from airflow.providers.amazon.aws.operators.sns import SnsPublishOperator

    topic = cloud.client("sns").create_topic(Name="system-sns")["TopicArn"]
    url = queue_on(cloud, topic)
    run = system_run(allow("sns:Publish", topic))
    for kind in ("alarm", "note"):
        run.execute(
            SnsPublishOperator,
            target_arn=topic, subject="AUC", message="it fell to {{ ti.map_index }}", message_attributes={"kind": kind},
        )  # fmt: skip
    notifier = SnsNotifier(aws_conn_id=None, target_arn=topic, message="late", message_attributes={"kind": "alarm"})
    notifier.notify({})
    messages = received(cloud, url)
    assert [(m["Type"], m["TopicArn"], m.get("Subject"), m["Message"]) for m in messages] == [
        ("Notification", topic, "AUC", "it fell to -1"),
        ("Notification", topic, None, "late"),
    ]
    assert messages[0]["MessageAttributes"] == {"kind": {"Type": "String", "Value": "alarm"}}
    with pytest.raises(ClientError, match=r"is not authorized to perform: (?i:sns):Publish"):
        run.execute(SnsPublishOperator, target_arn=topic.replace("system-sns", "other"), message="no")
    cloud.client("sns").delete_topic(TopicArn=topic)
    cloud.client("sqs").delete_queue(QueueUrl=url)
