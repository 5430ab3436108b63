"""One shard: an append-only list of records, searched by sequence number or arrival time in logarithmic time."""

from __future__ import annotations

import json
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

MAX_RECORDS = 10_000
MAX_BYTES = 10 * 1024 * 1024
# A block is compressed when it has so many records, or so much data. To read one record is to unpack its block.
BLOCK_RECORDS = 256
BLOCK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record of a shard.

    Attributes:
        sequence_number: Its sequence number.
        arrived: The server's time when it was put, in seconds since the epoch.
        partition_key: Its partition key.
        data: Its data in base64, as the producer sent it.
    """

    sequence_number: int
    arrived: float
    partition_key: str
    data: str

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by its values: the stored state has very many records, and this is several times faster."""
        return StoredRecord, (self.sequence_number, self.arrived, self.partition_key, self.data)

    def as_dict(self) -> dict[str, Any]:
        """Returns the record as GetRecords shows it."""
        return {
            "Data": self.data,
            "PartitionKey": self.partition_key,
            "SequenceNumber": str(self.sequence_number),
            "ApproximateArrivalTimestamp": round(self.arrived, 3),
        }


@dataclass
class Shard:
    """The records of a range of hash keys. It has no lock: its stream serialises changes.

    A stream keeps all its records, so most of them are compressed, in blocks. The newest, fewer than a block, are not.
    """

    RUNTIME: ClassVar[dict[str, Any]] = {"_ends": None, "_newest_bytes": 0, "_sequences": None, "_times": None}

    number: int
    starting_hash: int
    ending_hash: int
    first_sequence: int
    created: float
    parent: str | None = None
    adjacent_parent: str | None = None
    last_sequence: int | None = None
    closed: float | None = None
    _newest: list[StoredRecord] = field(default_factory=list)
    _newest_bytes: int = 0
    _blocks: list[bytes] = field(default_factory=list)
    _ends: array[int] = field(default_factory=lambda: array("q"))  # the position after the last record of each block
    _sequences: array[int] = field(default_factory=lambda: array("q"))  # counted from the shard's first
    _times: array[float] = field(default_factory=lambda: array("d"))

    @property
    def shard_id(self) -> str:
        """The id in AWS's form, ``shardId-000000000000``."""
        return f"shardId-{self.number:012d}"

    def restored(self) -> None:
        """Makes the lists that are searched from the restored records. Those of a block are no newest ones any more."""
        self._ends, self._sequences, self._times = array("q"), array("q"), array("d")
        newest, self._newest = self._newest, []
        for block in self._blocks:
            for record in _unpack(block):
                self._index(record)
            self._ends.append(self.end())
        last = self.first_sequence + (self._sequences[-1] if self._sequences else 0)
        for record in newest:
            if record.sequence_number > last:
                self._add(record)

    @property
    def is_open(self) -> bool:
        """Whether the shard takes records."""
        return self.last_sequence is None

    def close(self, last_sequence: int, now: float) -> None:
        """Closes the shard: it takes no more records, and its readers reach an end."""
        self.last_sequence, self.closed = last_sequence, now

    def holds(self, hash_key: int) -> bool:
        """Whether the hash key is in the shard's range."""
        return self.starting_hash <= hash_key <= self.ending_hash

    def append(self, sequence_number: int, now: float, partition_key: str, data: str) -> None:
        """Appends a record.

        Its arrival is never before that of the record before it, so both numbers rise and can be searched.
        """
        arrived = max(now, self._times[-1]) if self._times else now
        self._add(StoredRecord(sequence_number, arrived, partition_key, data))

    def _add(self, record: StoredRecord) -> None:
        self._newest.append(record)
        self._newest_bytes += len(record.data)
        if len(self._newest) >= BLOCK_RECORDS or self._newest_bytes >= BLOCK_BYTES:
            self._blocks.append(_pack(self._newest))
            self._ends.append(self.end() + 1)
            self._newest, self._newest_bytes = [], 0
        self._index(record)  # last: who sees the new end finds all records before it

    def _index(self, record: StoredRecord) -> None:
        self._times.append(record.arrived)
        self._sequences.append(record.sequence_number - self.first_sequence)

    def after(self, sequence_number: int) -> int:
        """Returns the position of the first record after this sequence number."""
        return bisect_right(self._sequences, sequence_number - self.first_sequence)

    def at_time(self, timestamp: float) -> int:
        """Returns the position of the first record that arrived at this time or later."""
        return bisect_left(self._times, timestamp)

    def end(self) -> int:
        """Returns the position after the last record."""
        return len(self._sequences)

    def knows(self, sequence_number: int) -> bool:
        """Whether a reader may start at this sequence number: it is a record's, or the shard's first."""
        if sequence_number == self.first_sequence:
            return True
        position = self.after(sequence_number)
        return position > 0 and self._sequences[position - 1] == sequence_number - self.first_sequence

    def read(self, position: int, limit: int | None) -> tuple[list[StoredRecord], int]:
        """Reads records from a position: at most ``limit``, 10,000 records and 10 MiB of data.

        Returns:
            The records, and by how many milliseconds the last of them is behind the shard's newest.
        """
        records: list[StoredRecord] = []
        size = 0
        for record in self._between(position, min(self.end(), position + min(limit or MAX_RECORDS, MAX_RECORDS))):
            size += len(record.data) * 3 // 4
            if records and size > MAX_BYTES:
                break
            records.append(record)
        last = position + len(records)
        behind = self._times[-1] - self._times[max(last - 1, 0)] if last < self.end() else 0.0
        return records, int(behind * 1000)

    def _between(self, position: int, end: int) -> Iterator[StoredRecord]:
        while position < end:
            newest = self._newest  # before the blocks are counted: it may become one meanwhile
            sealed = len(self._ends)
            number = bisect_right(self._ends, position)
            first = position - (self._ends[number - 1] if number else 0)
            wanted = slice(first, first + end - position)
            found = _unpack(self._blocks[number], wanted) if number < sealed else newest[wanted]
            yield from found
            position += len(found)

    def hash_range(self) -> dict[str, str]:
        """Returns the range of hash keys as AWS shows it."""
        return {"StartingHashKey": str(self.starting_hash), "EndingHashKey": str(self.ending_hash)}

    def to_json(self) -> dict[str, Any]:
        """Returns the shard as ListShards and DescribeStream show it."""
        sequences = {"StartingSequenceNumber": str(self.first_sequence)}
        if self.last_sequence is not None:
            sequences["EndingSequenceNumber"] = str(self.last_sequence)
        shard: dict[str, Any] = {
            "ShardId": self.shard_id,
            "HashKeyRange": self.hash_range(),
            "SequenceNumberRange": sequences,
        }
        if self.parent:
            shard["ParentShardId"] = self.parent
        if self.adjacent_parent:
            shard["AdjacentParentShardId"] = self.adjacent_parent
        return shard


def _pack(records: list[StoredRecord]) -> bytes:
    rows = [(record.sequence_number, record.arrived, record.partition_key, record.data) for record in records]
    return zlib.compress(json.dumps(rows).encode(), 1)


def _unpack(block: bytes, wanted: slice = slice(None)) -> list[StoredRecord]:
    return [StoredRecord(*values) for values in json.loads(zlib.decompress(block))[wanted]]
