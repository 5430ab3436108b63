"""An SQS queue: its messages one by one, each deleted by whoever has done its work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, NamedTuple

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

_WAITING = "ApproximateNumberOfMessages"
# Long polling asks all of SQS's servers; without it, a queue with few messages often looks empty.
_WAIT_SECONDS = 1


class Message(NamedTuple):
    """A message that this process has received, and nobody else gets until its visibility timeout ends."""

    body: str
    receipt: str


class QueueHook(AwsGenericHook[Any]):
    """Receives the messages of a queue.

    Args:
        queue: The queue's name.
        retry_seconds: Seconds for which a message that is put back stays hidden: a passing fault has time to pass.
        aws_conn_id: Airflow's connection; None uses the role of the worker.
        **kwargs: Arguments of Airflow's hook.
    """

    def __init__(self, queue: str, *, retry_seconds: int = 300, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="sqs", **kwargs)
        self.queue = queue
        self.retry_seconds = retry_seconds

    @cached_property
    def _url(self) -> str:
        return str(self.conn.get_queue_url(QueueName=self.queue)["QueueUrl"])

    def receive(self) -> Message | None:
        """Returns a message, or None if none waits."""
        answer = self.conn.receive_message(QueueUrl=self._url, MaxNumberOfMessages=1, WaitTimeSeconds=_WAIT_SECONDS)
        found = [Message(message["Body"], message["ReceiptHandle"]) for message in answer.get("Messages", ())]
        return found[0] if found else None

    def delete(self, receipt: str) -> None:
        """Deletes a received message, because its work is done."""
        self.conn.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)

    def release(self, receipt: str) -> None:
        """Puts a received message back, because its work could not be done."""
        hidden = {"ReceiptHandle": receipt, "VisibilityTimeout": self.retry_seconds}
        self.conn.change_message_visibility(QueueUrl=self._url, **hidden)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[Callable[[], Awaitable[int]]]:
        """Yields a function that returns about how many messages wait, without receiving any. It keeps one client."""
        async with await self.get_async_conn() as client:
            url = (await client.get_queue_url(QueueName=self.queue))["QueueUrl"]

            async def waiting() -> int:
                answer = await client.get_queue_attributes(QueueUrl=url, AttributeNames=[_WAITING])
                return int(answer["Attributes"][_WAITING])

            yield waiting
