"""A reader of the workload's stream that is behind: it begins at the oldest record and goes on slowly."""

from __future__ import annotations

import threading

from infra.laptop.drills.cause import Cause
from infra.laptop.drills.target import Target


class SlowReader(Cause):
    """Reads one record after the other from the oldest; nothing is put on the stream."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Starts to read."""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stops, and looks at the newest place."""
        self._ended.set()
        if self._thread:
            self._thread.join()
            self._thread = None
            for iterator in self._iterators("LATEST"):
                self.target.aws.kinesis.get_records(ShardIterator=iterator, Limit=1)

    def _iterators(self, kind: str) -> list[str]:
        kinesis, stream = self.target.aws.kinesis, self.target.workload.stream.name
        shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName=stream)["Shards"]]
        return [
            kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType=kind)["ShardIterator"]
            for shard in shards
        ]

    def _read(self) -> None:
        iterators: list[str | None] = [*self._iterators("TRIM_HORIZON")]
        while not self._ended.wait(1):
            for place, iterator in enumerate(iterators):
                if iterator:
                    answer = self.target.aws.kinesis.get_records(ShardIterator=iterator, Limit=1)
                    iterators[place] = answer.get("NextShardIterator")
