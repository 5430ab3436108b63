"""What the pipelines need of AWS and of databases, as Protocols.

The hooks in ``plugins/nightjar`` satisfy them; the DAGs pass those in, and tests may pass fakes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Any, Protocol, TypedDict


class StoredObject(Protocol):
    """What S3 returns about an object."""

    @property
    def sha256(self) -> str:
        """SHA-256 checksum, base64."""

    @property
    def metadata(self) -> dict[str, str]:
        """User metadata."""


class ObjectStore(Protocol):
    """Objects in S3 (``nightjar.objects.ObjectStoreHook``)."""

    def put(self, bucket: str, key: str, body: IO[bytes] | bytes) -> None:
        """Writes the object, or replaces the one that exists."""

    def put_once(
        self, bucket: str, key: str, body: IO[bytes] | bytes, metadata: Mapping[str, str] | None = None
    ) -> bool:
        """Writes the object if the key is free; returns False if it is taken."""

    def open(self, bucket: str, key: str) -> IO[bytes]:
        """Returns the object's body as a stream."""

    def metadata(self, bucket: str, key: str) -> dict[str, str]:
        """Returns the user metadata of an object."""

    def keys(self, bucket: str, prefix: str) -> Iterator[str]:
        """Iterates over the keys below a prefix, in order."""

    def stored(self, bucket: str, keys: Sequence[str]) -> Mapping[str, StoredObject]:
        """Returns checksum and metadata of each object."""

    def get_json(self, bucket: str, key: str) -> Any | None:
        """Returns a JSON document, or None if the object does not exist.

        Raises:
            ValueError: The object is not JSON.
        """


StateItems = Mapping[tuple[str, str], Mapping[str, Any] | None]
"""(pk, sk) → the attributes of an item of the state table, or None if the item does not exist."""


class StateStore(Protocol):
    """The state table (``nightjar.state.hook.StateHook``). Items are addressed by ``(pk, sk)``."""

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """Returns the item's attributes, or None if it does not exist."""

    def query(self, pk: str, *, last: int | None = None) -> dict[str, dict[str, Any]]:
        """Returns all items with this ``pk``, or the ``last`` by sort key: sort key → attributes."""

    def put(self, pk: str, sk: str, item: Mapping[str, Any]) -> None:
        """Writes the item, or replaces the one that exists."""

    def put_if(
        self,
        pk: str,
        sk: str,
        item: Mapping[str, Any],
        condition: str,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> bool:
        """Writes the item if the condition holds; returns False if it does not."""

    def advance(self, pk: str, sk: str, item: Mapping[str, Any], attribute: str) -> bool:
        """Writes the item unless the stored one's ``attribute`` is higher; returns False in that case."""


class Shard(TypedDict):
    """A shard of a stream, and those of its parents that still hold records."""

    shard_id: str
    parents: list[str]


class StreamRecord(Protocol):
    """One record of a stream."""

    @property
    def sequence_number(self) -> str:
        """Position in the shard. Sequence numbers compare as integers."""

    @property
    def arrived_at(self) -> datetime:
        """Approximate arrival, UTC."""

    @property
    def data(self) -> bytes:
        """What the producer sent."""


class ShardRecords(Protocol):
    """Reads one shard in order, up to an instant (``nightjar.kinesis.shard_reader.ShardReader``)."""

    @property
    def ended(self) -> bool:
        """Whether the shard is closed and the last iteration read it to its end."""

    @property
    def stopped_at(self) -> StreamRecord | None:
        """The record that the last iteration stopped before; None if it read to the tip of the shard."""

    def records(self, after: str | None) -> Iterator[StreamRecord]:
        """Iterates over the records after a sequence number (None: from the oldest record that is kept)."""


class RecordSource(Protocol):
    """Streams of records in shards (``nightjar.kinesis.hook.KinesisHook``)."""

    def shards(self, stream: str) -> list[Shard]:
        """Lists the shards that still hold records."""

    def reader(self, stream: str, shard_id: str, until: datetime) -> ShardRecords:
        """Returns a reader of one shard that stops before the first record that arrived at ``until`` or later."""


class TableSource(Protocol):
    """Tables of a database as they are at one instant (``nightjar.tables.snapshot.Snapshot``)."""

    @property
    def upper(self) -> datetime:
        """The instant, by the database's clock."""

    def rows(
        self, table: str, columns: Mapping[str, str], ordered_by: str, low: datetime | None, high: datetime
    ) -> Iterator[dict[str, Any]]:
        """Iterates over the rows with ``low < ordered_by <= high`` as JSON-native values, in that column's order.

        Args:
            table: The table's name.
            columns: Name → type of each column to read.
            ordered_by: A timestamp column.
            low: None reads from the beginning.
            high: The upper bound, included.
        """


class Catalog(Protocol):
    """Tables and partitions of one catalog database (``nightjar.catalog.CatalogHook``)."""

    def ensure_table(
        self, table: str, columns: Sequence[tuple[str, str]], partition_column: tuple[str, str], location: str
    ) -> None:
        """Creates the table, or updates it if its columns differ."""

    def point_partition(
        self,
        table: str,
        value: str,
        columns: Sequence[tuple[str, str]],
        location: str,
        parameters: Mapping[str, str],
    ) -> None:
        """Makes the partition ``value`` read from ``location``. Repeating the call changes nothing."""
