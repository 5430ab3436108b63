"""What the pipelines need of AWS, as Protocols. The plugins' hooks satisfy them; tests may pass fakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, Protocol


class StoredObject(Protocol):
    """What S3 says of an object."""

    @property
    def sha256(self) -> str:
        """SHA-256 checksum, base64."""

    @property
    def metadata(self) -> dict[str, str]:
        """User metadata."""


class ObjectStore(Protocol):
    """Objects in S3 (``nightjar.objects.ObjectStoreHook``)."""

    def put(self, bucket: str, key: str, body: IO[bytes] | bytes) -> None:
        """Writes the object, replacing what was there."""

    def put_once(
        self, bucket: str, key: str, body: IO[bytes] | bytes, metadata: Mapping[str, str] | None = None
    ) -> bool:
        """Writes the object if the key is free; False where it is taken."""

    def open(self, bucket: str, key: str) -> IO[bytes]:
        """The object's body as a stream."""

    def metadata(self, bucket: str, key: str) -> dict[str, str]:
        """User metadata of an object."""

    def keys(self, bucket: str, prefix: str) -> Iterator[str]:
        """Keys below a prefix, in order."""

    def stored(self, bucket: str, keys: Sequence[str]) -> Mapping[str, StoredObject]:
        """Checksum and metadata of each object."""

    def get_json(self, bucket: str, key: str) -> Any | None:
        """A JSON document, None where there is no such object; ValueError where it is not JSON."""


class StateStore(Protocol):
    """The state table (``nightjar.state.hook.StateHook``). Items are addressed by ``(pk, sk)``."""

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """The item's attributes, or None."""

    def query(self, pk: str) -> dict[str, dict[str, Any]]:
        """All items of one ``pk``: sort key → attributes."""

    def put(self, pk: str, sk: str, item: Mapping[str, Any]) -> None:
        """Writes the item, replacing what was there."""

    def put_if(
        self,
        pk: str,
        sk: str,
        item: Mapping[str, Any],
        condition: str,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> bool:
        """Writes the item if the condition holds; False where it does not."""

    def advance(self, pk: str, sk: str, item: Mapping[str, Any], attribute: str) -> bool:
        """Writes the item unless the stored one's ``attribute`` is higher; False where it is."""
