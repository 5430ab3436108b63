"""A stream: chooses the shard of a record, and splits and merges shards without moving a record."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Any

from moto.kinesis.exceptions import InvalidArgumentError, ShardNotFoundError, StreamCannotBeUpdatedError
from moto.kinesis.models import Stream as MotoStream

from infra.localcloud.kinesis.shard import Shard

# Sequence numbers have 56 digits as on AWS, so they sort in the same order as numbers and as text.
FIRST_SEQUENCE = 4959 * 10**52
HASH_KEYS = 2**128


class Stream(MotoStream):
    """moto's stream with our shards. Sequence numbers rise across the stream: a child's are above its parent's."""

    # Every method of moto that uses its own shards is replaced here.
    shards: dict[str, Shard]  # type: ignore[assignment]  # our shards in place of moto's

    def init_shards(self, shard_count: int) -> None:
        """Opens shards that divide the hash keys equally."""
        self._lock = threading.RLock()
        self._next_sequence = FIRST_SEQUENCE
        step = HASH_KEYS // shard_count
        for index in range(shard_count):
            last = HASH_KEYS - 1 if index == shard_count - 1 else (index + 1) * step - 1
            self._add(index * step, last)
        self._resharded()

    def open_shards(self) -> list[Shard]:
        """Returns the open shards in the order of their hash keys."""
        return self._open

    def is_created(self) -> bool:
        """Always true: abstract in moto, for resources that take time."""
        return True

    def get_shard(self, shard_id: str) -> Shard:  # type: ignore[override]  # our shard in place of moto's
        """Finds a shard.

        Raises:
            ShardNotFoundError: The stream never had such a shard.
        """
        try:
            return self.shards[shard_id]
        except KeyError:
            raise ShardNotFoundError(shard_id, stream=self.stream_name, account_id=self.account_id) from None

    def put_record(self, partition_key: str, explicit_hash_key: str | None, data: str) -> tuple[str, str]:
        """Appends a record to the open shard of its key.

        Args:
            partition_key: The key whose hash chooses the shard.
            explicit_hash_key: A hash that is used instead of the key's.
            data: The data in base64.

        Returns:
            The sequence number and the shard id.

        Raises:
            InvalidArgumentError: A key is not valid.
        """
        hash_key = _hash_key(partition_key, explicit_hash_key)
        with self._lock:
            shard = next(shard for shard in self._open if shard.holds(hash_key))
            sequence = self._sequence()
            shard.append(sequence, time.time(), partition_key, data)
        return str(sequence), shard.shard_id

    def split_shard(self, shard_to_split: str, new_starting_hash_key: str) -> None:
        """Closes a shard and opens two children. Its records stay in it."""
        start = int(new_starting_hash_key)
        with self._lock:
            parent = self._eligible(shard_to_split)
            if not parent.starting_hash < start <= parent.ending_hash:
                raise InvalidArgumentError(
                    f"NewStartingHashKey {start} used in SplitShard() on shard {shard_to_split} {self._where()} is not"
                    f" between the shard's StartingHashKey {parent.starting_hash} and its EndingHashKey"
                    f" {parent.ending_hash}."
                )
            self._close(parent)
            self._add(parent.starting_hash, start - 1, parent.shard_id)
            self._add(start, parent.ending_hash, parent.shard_id)
            self._resharded()

    def merge_shards(self, shard_to_merge: str, adjacent_shard_to_merge: str) -> None:
        """Closes two adjacent shards and opens one child."""
        with self._lock:
            first, second = self._eligible(shard_to_merge), self._eligible(adjacent_shard_to_merge)
            low, high = sorted((first, second), key=lambda shard: shard.starting_hash)
            if low.ending_hash + 1 != high.starting_hash:
                raise InvalidArgumentError(
                    f"Shards {shard_to_merge} and {adjacent_shard_to_merge} {self._where()}"
                    " are not an adjacent pair of shards"
                )
            self._close(first)
            self._close(second)
            self._add(low.starting_hash, high.ending_hash, first.shard_id, second.shard_id)
            self._resharded()

    def update_shard_count(self, target_shard_count: int) -> None:
        """Splits or merges until the stream has that many open shards.

        Raises:
            InvalidArgumentError: The number is more than double or less than half of the current one, as on AWS.
            StreamCannotBeUpdatedError: The stream is on demand.
        """
        if self.stream_mode.get("StreamMode") == "ON_DEMAND":
            raise StreamCannotBeUpdatedError(stream_name=self.stream_name, account_id=self.account_id)
        with self._lock:
            count = len(self._open)
            if not (count + 1) // 2 <= target_shard_count <= 2 * count:
                raise InvalidArgumentError(
                    f"UpdateShardCount cannot go from {count} to {target_shard_count} open shards:"
                    " at most double, at least half"
                )
            for shard in list(self._open[: max(0, target_shard_count - count)]):
                self.split_shard(shard.shard_id, str((shard.starting_hash + shard.ending_hash) // 2 + 1))
            pairs = list(zip(self._open[0::2], self._open[1::2], strict=False))
            for low, high in pairs[: max(0, count - target_shard_count)]:
                self.merge_shards(low.shard_id, high.shard_id)

    def children(self, shard: Shard) -> list[dict[str, Any]]:
        """Returns the children of a closed shard as GetRecords lists them at its end."""
        return [
            {
                "ShardId": child.shard_id,
                "ParentShards": [parent for parent in (child.parent, child.adjacent_parent) if parent],
                "HashKeyRange": child.hash_range(),
            }
            for child in self.shards.values()
            if shard.shard_id in (child.parent, child.adjacent_parent)
        ]

    def _sequence(self) -> int:
        self._next_sequence += 1
        return self._next_sequence

    def _add(
        self, starting_hash: int, ending_hash: int, parent: str | None = None, adjacent: str | None = None
    ) -> None:
        shard = Shard(len(self.shards), starting_hash, ending_hash, self._sequence(), time.time(), parent, adjacent)
        self.shards[shard.shard_id] = shard

    def _close(self, shard: Shard) -> None:
        shard.close(self._sequence(), time.time())

    def _resharded(self) -> None:
        self._open = sorted(
            (shard for shard in self.shards.values() if shard.is_open), key=lambda shard: shard.starting_hash
        )
        self.shard_count = len(self._open)

    def _where(self) -> str:
        return f"in stream {self.stream_name} under account {self.account_id}"

    def _eligible(self, shard_id: str) -> Shard:
        shard = self.get_shard(shard_id)
        if not shard.is_open:
            raise InvalidArgumentError(
                f"Shard {shard_id} {self._where()} has already been merged or split, and thus is not eligible for"
                " merging or splitting."
            )
        return shard


def _hash_key(partition_key: str, explicit_hash_key: str | None) -> int:
    if not isinstance(partition_key, str) or not 1 <= len(partition_key) <= 256:
        raise InvalidArgumentError("PartitionKey must be a string of 1 to 256 characters")
    if not explicit_hash_key:
        return int.from_bytes(hashlib.md5(partition_key.encode(), usedforsecurity=False).digest(), "big")
    hash_key = int(explicit_hash_key)
    if not 0 <= hash_key < HASH_KEYS:
        raise InvalidArgumentError(
            f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified: {hash_key}"
        )
    return hash_key
