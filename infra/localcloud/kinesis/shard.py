"""One shard: an append-only list of records, searched by sequence number or arrival time in logarithmic time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import Any, ClassVar

MAX_RECORDS = 10_000
MAX_BYTES = 10 * 1024 * 1024


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
    """The records of a range of hash keys. It has no lock: its stream serialises changes."""

    RUNTIME: ClassVar[dict[str, Any]] = {"_sequences": None, "_times": None}

    number: int
    starting_hash: int
    ending_hash: int
    first_sequence: int
    created: float
    parent: str | None = None
    adjacent_parent: str | None = None
    last_sequence: int | None = None
    closed: float | None = None
    _records: list[StoredRecord] = field(default_factory=list)
    _sequences: list[int] = field(default_factory=list)
    _times: list[float] = field(default_factory=list)

    @property
    def shard_id(self) -> str:
        """The id in AWS's form, ``shardId-000000000000``."""
        return f"shardId-{self.number:012d}"

    def restored(self) -> None:
        """Makes the lists that are searched from the restored records."""
        self._sequences = [record.sequence_number for record in self._records]
        self._times = [record.arrived for record in self._records]

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
        self._records.append(StoredRecord(sequence_number, arrived, partition_key, data))
        self._sequences.append(sequence_number)
        self._times.append(arrived)

    def after(self, sequence_number: int) -> int:
        """Returns the position of the first record after this sequence number."""
        return bisect_right(self._sequences, sequence_number)

    def at_time(self, timestamp: float) -> int:
        """Returns the position of the first record that arrived at this time or later."""
        return bisect_left(self._times, timestamp)

    def end(self) -> int:
        """Returns the position after the last record."""
        return len(self._records)

    def knows(self, sequence_number: int) -> bool:
        """Whether a reader may start at this sequence number: it is a record's, or the shard's first."""
        position = bisect_left(self._sequences, sequence_number)
        return sequence_number == self.first_sequence or self._sequences[position : position + 1] == [sequence_number]

    def read(self, position: int, limit: int | None) -> tuple[list[StoredRecord], int]:
        """Reads records from a position: at most ``limit``, 10,000 records and 10 MiB of data.

        Returns:
            The records, and by how many milliseconds the last of them is behind the shard's newest.
        """
        records: list[StoredRecord] = []
        size = 0
        for record in self._records[position : position + min(limit or MAX_RECORDS, MAX_RECORDS)]:
            size += len(record.data) * 3 // 4
            if records and size > MAX_BYTES:
                break
            records.append(record)
        last = position + len(records)
        behind = self._times[-1] - self._times[max(last - 1, 0)] if last < len(self._records) else 0.0
        return records, int(behind * 1000)

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
