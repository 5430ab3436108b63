"""Kills of the stream's ingestion at any write: no record is lost or doubled. In memory, so that many are tried."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from include.lake import layout, state_keys
from include.lake.buckets import DataBuckets
from include.lake.markers import marked_days
from include.pipelines.ingest.aggregates import MAGIC
from include.pipelines.ingest.shard import ShardIngest
from include.pipelines.ingest.target import StreamTarget
from tests.support.kinesis_stream import event

SHARD = "shard-0"
BUCKETS = DataBuckets(raw="raw-bucket", lake="lake-bucket")
START = datetime(2026, 1, 1, tzinfo=UTC)


class KilledError(Exception):
    """The process is gone."""


@dataclass
class Kill:
    """Ends the process before or after the n-th write; None never does."""

    at: int | None = None
    after: bool = False

    def around(self, write: Any) -> Any:
        """Does the write, unless the process dies before it."""
        if self.at is not None:
            self.at -= 1
        dies = self.at is not None and self.at < 0
        if dies and not self.after:
            raise KilledError
        result = write()
        if dies:
            raise KilledError
        return result


@dataclass
class Cloud:
    """S3 and the state table, as far as the ingestion uses them."""

    kill: Kill = field(default_factory=Kill)
    bodies: dict[str, bytes] = field(default_factory=dict)
    users: dict[str, dict[str, str]] = field(default_factory=dict)
    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def put(self, bucket: str, key: str, body: IO[bytes] | bytes) -> None:
        assert bucket == BUCKETS.lake, "only the lake takes a second put of a key"
        content = body if isinstance(body, bytes) else body.read()
        self.kill.around(lambda: self.bodies.__setitem__(key, content))

    def put_once(self, bucket: str, key: str, body: IO[bytes], metadata: Mapping[str, str] | None = None) -> bool:
        assert bucket == BUCKETS.raw

        def write() -> bool:
            if key in self.bodies:
                return False
            self.bodies[key], self.users[key] = body.read(), dict(metadata or {})
            return True

        return bool(self.kill.around(write))

    def open(self, bucket: str, key: str) -> IO[bytes]:
        assert bucket == BUCKETS.raw
        return io.BytesIO(self.bodies[key])

    def metadata(self, bucket: str, key: str) -> dict[str, str]:
        assert bucket == BUCKETS.raw
        return self.users[key]

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        return self.items.get((pk, sk))

    def advance(self, pk: str, sk: str, item: Mapping[str, Any], attribute: str) -> bool:
        def write() -> bool:
            stored = self.items.get((pk, sk))
            if stored and stored[attribute] > item[attribute]:
                return False
            self.items[pk, sk] = dict(item)
            return True

        return bool(self.kill.around(write))

    def lines(self, prefix: str) -> list[dict[str, Any]]:
        found = (gzip.decompress(body) for key, body in self.bodies.items() if key.startswith(prefix))
        return [json.loads(line) for body in found for line in body.splitlines()]


@dataclass(frozen=True)
class Record:
    """A record of the stream."""

    sequence_number: str
    arrived_at: datetime
    data: bytes


@dataclass
class Source:
    """A stream of one open shard."""

    stored: list[Record]
    ended: bool = False
    stopped_at: Record | None = None

    def reader(self, stream: str, shard_id: str, until: datetime) -> Source:
        return self

    def records(self, after: str | None) -> Iterator[Record]:
        return (record for record in self.stored if after is None or int(record.sequence_number) > int(after))


def aggregate(*parts: bytes) -> bytes:
    """An aggregate of the Kinesis Producer Library, in protobuf's wire format."""

    def bytes_field(number: int, value: bytes) -> bytes:
        size, head = len(value), bytearray([number << 3 | 2])
        while size >= 0x80:
            head.append(size & 0x7F | 0x80)
            size >>= 7
        return bytes(head) + bytes([size]) + value

    message = bytes_field(1, b"k") + b"".join(bytes_field(3, b"\x08\x00" + bytes_field(3, part)) for part in parts)
    return MAGIC + message + hashlib.md5(message, usedforsecurity=False).digest()


PARTS = st.integers(0, 60).map(event) | st.sampled_from([b"no event", event(1, recorded_at="2099-01-01T00:00:00Z")])
# Each with the number of lines that it becomes.
DATA = st.one_of(
    PARTS.map(lambda part: (part, 1)),
    st.lists(PARTS, min_size=1, max_size=4).map(lambda parts: (aggregate(*parts), len(parts))),
    st.just((MAGIC + b"damaged", 1)),
)
KILLS = st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(1, 8)), max_size=6)


@settings(max_examples=300, deadline=None)
@given(st.lists(DATA, min_size=1, max_size=25), KILLS, st.integers(1, 8))
def test_after_any_kills_every_record_is_there_once(
    data: list[tuple[bytes, int]], kills: list[tuple[int, bool, int]], last_size: int
) -> None:
    records = [Record(str(10 + n), START + timedelta(seconds=n), content) for n, (content, _) in enumerate(data)]
    cloud, source = Cloud(), Source(records)

    def run(size: int) -> None:
        target = StreamTarget("w", "s", BUCKETS, "recorded_at", max_records=size)
        until = START + timedelta(days=1)
        ShardIngest(target, SHARD, until, source=source, objects=cloud, state=cloud).run()  # type: ignore[arg-type]

    for at, after, size in kills:
        cloud.kill = Kill(at, after)
        try:
            run(size)
        except KilledError:
            continue
    cloud.kill = Kill()
    run(last_size)

    whole = Cloud()
    target = StreamTarget("w", "s", BUCKETS, "recorded_at")
    ShardIngest(target, SHARD, START + timedelta(days=1), source=source, objects=whole, state=whole).run()  # type: ignore[arg-type]
    assert len(cloud.lines("raw/")) + len(cloud.lines("quarantine/")) == sum(lines for _, lines in data)
    for prefix in ("raw/", "quarantine/"):
        assert Counter(map(json.dumps, cloud.lines(prefix))) == Counter(map(json.dumps, whole.lines(prefix)))
    checkpoint = state_keys.checkpoint_key("w", "s", SHARD)
    assert cloud.items[checkpoint] == whole.items[checkpoint]
    marked = {
        (str(day), layout.marked_raw_key("w", "s", marker))
        for marker in cloud.bodies
        if "index/" in marker
        for day in marked_days(marker)
    }
    days = {
        (json.loads(line)["event"]["event_time"][:10], key)
        for key, body in cloud.bodies.items()
        if key.startswith("raw/")
        for line in gzip.decompress(body).splitlines()
    }
    assert marked == days
