"""What the ingestion of files needs of a queue, as Protocols (see ``include.pipelines.protocols``)."""

from __future__ import annotations

from typing import Protocol


class QueueMessage(Protocol):
    """A message of a queue that was received."""

    @property
    def body(self) -> str:
        """What was sent."""

    @property
    def receipt(self) -> str:
        """The handle of this receipt."""


class MessageQueue(Protocol):
    """A queue (``nightjar.queues.hook.QueueHook``). A message that is received and not deleted comes back."""

    def receive(self) -> QueueMessage | None:
        """Returns a message, or None if none waits."""

    def delete(self, receipt: str) -> None:
        """Deletes a received message, because its work is done."""

    def release(self, receipt: str) -> None:
        """Puts a received message back, because its work could not be done."""
