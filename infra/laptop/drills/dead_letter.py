"""A message in the queue of what could not be ingested."""

from __future__ import annotations

import uuid

from infra.laptop.bootstrap.definitions import definition
from infra.laptop.drills.cause import Cause
from infra.laptop.drills.target import Target


class DeadLetter(Cause):
    """Puts a message there, and takes it away again."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._text = f"drill {uuid.uuid4()}"
        queue = definition("drops", workload=target.workload.name)["dead_letter_queue"]["QueueName"]
        self._url = target.aws.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        self._sent = False

    def begin(self) -> None:
        """Sends the message."""
        self.target.aws.sqs.send_message(QueueUrl=self._url, MessageBody=self._text)
        self._sent = True

    def end(self) -> None:
        """Deletes the message. Others, which are real, stay."""
        while self._sent:
            answer = self.target.aws.sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=5
            )
            for message in answer.get("Messages", ()):
                if message["Body"] == self._text:
                    self.target.aws.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                    self._sent = False
