"""What the ingestion of files needs besides ``include.pipelines.protocols``: versions of objects, and a queue."""

from __future__ import annotations

from typing import IO, Protocol

from include.pipelines.protocols import ObjectStore


class VersionedObjects(ObjectStore, Protocol):
    """Objects of which older versions can be read (``nightjar.objects.ObjectStoreHook``)."""

    def open_version(self, bucket: str, key: str, version: str) -> IO[bytes] | None:
        """Returns the body of one version of an object (empty: the current one), or None if it does not exist."""


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
