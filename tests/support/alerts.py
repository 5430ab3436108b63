"""What was published to an SNS topic of the local cloud."""

from __future__ import annotations

import json
import uuid

from tests.support.localcloud import Cloud


class Alerts:
    """The topic, which it makes, and a queue that gets its messages.

    Args:
        cloud: The local cloud.
        topic: ARN of the topic.
    """

    def __init__(self, cloud: Cloud, topic: str) -> None:
        sns, self._sqs = cloud.client("sns"), cloud.client("sqs")
        sns.create_topic(Name=topic.rpartition(":")[2])
        self._queue = self._sqs.create_queue(QueueName=f"alerts-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self._received: list[dict[str, str]] = []

    def received(self) -> list[dict[str, str]]:
        """Every message until now: Subject and Message."""
        while found := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                self._received.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return list(self._received)

    def of(self, text: str) -> str | None:
        """The message that contains a text; None without one. More than one fails the test."""
        found = [message["Message"] for message in self.received() if text in message["Message"]]
        assert len(found) <= 1, found
        return found[0] if found else None

    def subject(self, text: str) -> str:
        """The subject of the message that contains a text."""
        (subject,) = [message["Subject"] for message in self.received() if text in message["Message"]]
        return subject
