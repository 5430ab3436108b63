"""What the pipelines need of AWS and of databases, as Protocols.

The hooks in ``plugins/nightjar`` satisfy them; the DAGs pass those in, and tests may pass fakes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import IO, Any, Protocol, TypedDict


class StoredObject(Protocol):
    """What S3 returns about an object."""

    @property
    def sha256(self) -> str:
        """SHA-256 checksum, base64."""

    @property
    def metadata(self) -> dict[str, str]:
        """User metadata."""

    @property
    def size(self) -> int:
        """Bytes."""


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

    def keys(self, bucket: str, prefix: str, after: str = "") -> Iterator[str]:
        """Iterates over the keys below a prefix, in order; with ``after`` only over those that come after it."""

    def folders(self, bucket: str, prefix: str) -> Iterator[str]:
        """Iterates over the prefixes one level below a prefix, each with its slash at the end, in order."""

    def stored(self, bucket: str, keys: Sequence[str]) -> Mapping[str, StoredObject]:
        """Returns checksum, metadata and size of each object."""

    def get_json(self, bucket: str, key: str) -> Any | None:
        """Returns a JSON document, or None if the object does not exist.

        Raises:
            ValueError: The object is not JSON.
        """


class StoredBelow(Protocol):
    """What S3 returns about the objects below a prefix."""

    @property
    def objects(self) -> int:
        """Their number."""

    @property
    def bytes(self) -> int:
        """Their size."""

    @property
    def newest(self) -> datetime:
        """When the newest one was written."""


class ExpiringStore(ObjectStore, Protocol):
    """Objects in S3 that may also be deleted (``nightjar.expiry.ExpiryHook``)."""

    def below(self, bucket: str, prefix: str) -> StoredBelow:
        """Sums up the objects below a prefix, of which there is at least one."""

    def delete_below(self, bucket: str, prefix: str) -> None:
        """Deletes the objects below a prefix."""


StateItems = Mapping[tuple[str, str], Mapping[str, Any] | None]
"""(pk, sk) → the attributes of an item of the state table, or None if the item does not exist."""


class StateLog(Protocol):
    """The state table, for items that are written once. Items are addressed by ``(pk, sk)``."""

    def query(self, pk: str, *, last: int | None = None) -> dict[str, dict[str, Any]]:
        """Returns all items with this ``pk``, or the ``last`` by sort key: sort key → attributes."""

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


class StateStore(StateLog, Protocol):
    """The state table (``nightjar.state.hook.StateHook``)."""

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """Returns the item's attributes, or None if it does not exist."""

    def put(self, pk: str, sk: str, item: Mapping[str, Any]) -> None:
        """Writes the item, or replaces the one that exists."""

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


class TableRow(Protocol):
    """One row of a table."""

    @property
    def text(self) -> str:
        """A JSON object on one line."""

    @property
    def written_at(self) -> datetime | None:
        """When the row was last written (its watermark column); None if that is before the year 1."""

    @property
    def refused(self) -> str:
        """Why the row is not fit for use; empty if it is."""


class UnreadRows(Protocol):
    """Numbers of rows that no run reads."""

    @property
    def without_watermark(self) -> int:
        """Rows whose watermark column is null."""

    @property
    def in_future(self) -> int:
        """Rows whose watermark column is in the future."""


class TableRows(Protocol):
    """One table of a snapshot (``nightjar.tables.reader.TableReader``)."""

    @property
    def granularity(self) -> timedelta:
        """What the watermark column cannot tell apart: a day if it is a date, else nothing."""

    def unread(self) -> UnreadRows:
        """Counts the rows that no run reads."""

    def rows(self, low: datetime | None) -> Generator[TableRow]:
        """Iterates over the rows written after ``low`` (None: from the beginning), up to the snapshot's upper bound.

        Until it is at its end, nothing else can be asked of the source. Closed earlier, the table gives nothing more.
        """


class TableSource(Protocol):
    """Tables of a database as they are at one instant (``nightjar.tables.snapshot.Snapshot``)."""

    @property
    def upper(self) -> datetime:
        """The instant; it is not in the future."""

    @property
    def oldest_open(self) -> datetime:
        """When the oldest transaction began that was open at ``upper``; ``upper`` if there was none."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """Exceptions that concern one table; the others can still be read."""

    def table(
        self, relation: str, columns: Mapping[str, tuple[str, str]], watermark: str, zone: str | None
    ) -> AbstractContextManager[TableRows]:
        """Opens a table.

        Args:
            relation: The table's name, which may begin with the schema.
            columns: Field → (the column's name, its declared type).
            watermark: The field that holds the time at which a row was last written.
            zone: The time zone of columns without one.
        """


class PublishedColumns(Protocol):
    """What the tables of one catalog database look like."""

    def columns(self, table: str) -> Sequence[tuple[str, str]] | None:
        """Returns name and type of each column of a table without the partition's, or None if there is no table."""


class PartitionLocations(Protocol):
    """Where the partitions of one catalog database lie."""

    def locations(self, table: str) -> Iterator[str]:
        """Iterates over the URIs of a table's partitions; none if there is no table."""


class Catalog(PublishedColumns, Protocol):
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
