"""Takes messages from the inbox's queue, and keeps them in a file of the run folder."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.laptop.aws import Aws
from infra.laptop.bootstrap.inbox import QUEUE
from infra.laptop.inbox.messages import Message, read

FILE = "inbox.jsonl"
_BATCH = 10  # the most that SQS gives at once


class Inbox:
    """The messages of a run folder.

    A message is on disk before it is deleted from the queue: a command that is killed in between gets it again, and
    shows it once.

    Args:
        aws: The local cloud.
        folder: The run folder.
    """

    def __init__(self, aws: Aws, folder: Path) -> None:
        self._aws = aws
        self._file = folder / FILE

    def collect(self) -> list[Message]:
        """Takes what is in the queue; returns all messages, the newest first."""
        url = self._aws.sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        with self._locked():
            known = {message.id for message in self.kept()}
            while found := self._aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_BATCH).get("Messages"):
                received = [(read(one["Body"], one["MessageId"]), one["ReceiptHandle"]) for one in found]
                self._keep([message for message, _ in received if message.id not in known])
                known |= {message.id for message, _ in received}
                for _, handle in received:
                    self._aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
        return self.kept()

    def kept(self) -> list[Message]:
        """The messages on disk, the newest first."""
        if not self._file.is_file():
            return []
        lines = self._file.read_text("utf-8").split("\n")
        found = {message.id: message for message in map(_message, lines) if message}
        return sorted(found.values(), key=lambda message: message.at, reverse=True)

    def _keep(self, messages: list[Message]) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.writelines(f"\n{json.dumps(message.to_json())}" for message in messages)
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process takes messages at a time."""
        with self._file.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _message(line: str) -> Message | None:
    """The message of a line; None if it is empty, or was torn by a kill (the queue still has it)."""
    try:
        return Message.from_json(json.loads(line)) if line else None
    except (ValueError, KeyError, TypeError):
        return None
