"""S3, the state table and a queue in memory, as the pipelines need them. They are quicker than moto's."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple


class CrashError(BaseException):
    """The worker dies: no code of it handles that."""


class Writes:
    """Counts the writes of several stores, and lets the worker die at one of them.

    Args:
        dies_at: The number of the write, from 1; 0 for none.
        after: Whether it dies after the write, or before it.
    """

    def __init__(self, dies_at: int = 0, *, after: bool = False) -> None:
        self.count = 0
        self._dies_at, self._after = dies_at, after

    def before(self) -> None:
        """Counts a write that is about to happen."""
        self.count += 1
        if self.count == self._dies_at and not self._after:
            raise CrashError

    def done(self) -> None:
        """Says that the write has happened."""
        if self.count == self._dies_at:
            raise CrashError


class Stored(NamedTuple):
    """What S3 returns about an object."""

    sha256: str
    metadata: dict[str, str]
    size: int


class ObjectsInMemory:
    """Objects by (bucket, key). Each put makes a version, ``v1`` and so on."""

    def __init__(self) -> None:
        self.versions: dict[tuple[str, str], list[bytes]] = {}
        self._metadata: dict[tuple[str, str], dict[str, str]] = {}
        self.writes = Writes()

    def put(self, bucket: str, key: str, body: IO[bytes] | bytes, metadata: Mapping[str, str] | None = None) -> None:
        self.writes.before()
        content = body if isinstance(body, bytes) else body.read()
        self.versions.setdefault((bucket, key), []).append(content)
        self._metadata[bucket, key] = dict(metadata or {})
        self.writes.done()

    def put_once(
        self, bucket: str, key: str, body: IO[bytes] | bytes, metadata: Mapping[str, str] | None = None
    ) -> bool:
        if (bucket, key) in self.versions:
            return False
        self.put(bucket, key, body, metadata)
        return True

    def open(self, bucket: str, key: str) -> IO[bytes]:
        return io.BytesIO(self.versions[bucket, key][-1])

    def open_version(self, bucket: str, key: str, version: str) -> IO[bytes] | None:
        found = self.versions.get((bucket, key), [])
        number = int(version.removeprefix("v") or len(found))
        return io.BytesIO(found[number - 1]) if 0 < number <= len(found) else None

    def metadata(self, bucket: str, key: str) -> dict[str, str]:
        return self._metadata[bucket, key]

    def keys(self, bucket: str, prefix: str, after: str = "") -> Iterator[str]:
        keys = (key for place, key in self.versions if place == bucket and key.startswith(prefix))
        return iter(sorted(key for key in keys if key > after))

    def folders(self, bucket: str, prefix: str) -> Iterator[str]:
        below = (key.removeprefix(prefix) for key in self.keys(bucket, prefix))
        return iter(sorted({f"{prefix}{name.split('/')[0]}/" for name in below if "/" in name}))

    def stored(self, bucket: str, keys: Sequence[str]) -> Mapping[str, Stored]:
        digests = {key: hashlib.sha256(self.versions[bucket, key][-1]).digest() for key in keys}
        return {
            key: Stored(
                base64.b64encode(digests[key]).decode(),
                self._metadata[bucket, key],
                len(self.versions[bucket, key][-1]),
            )
            for key in keys
        }

    def get_json(self, bucket: str, key: str) -> Any | None:
        found = self.versions.get((bucket, key))
        return json.loads(found[-1]) if found else None

    def lines(self, bucket: str, prefix: str) -> list[Any]:
        """Parses every JSON line of the gzip objects below a prefix."""
        return [
            json.loads(line)
            for key in self.keys(bucket, prefix)
            for line in gzip.decompress(self.versions[bucket, key][-1]).splitlines()
        ]


class ItemsInMemory:
    """A state table."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.writes = Writes()

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        return self.items.get((pk, sk))

    def query(self, pk: str, *, last: int | None = None) -> dict[str, dict[str, Any]]:
        found = sorted(key for key in self.items if key[0] == pk)
        return {key[1]: self.items[key] for key in (found if last is None else reversed(found[-last:]))}

    def put(self, pk: str, sk: str, item: Mapping[str, Any]) -> None:
        self.writes.before()
        self.items[pk, sk] = dict(item)
        self.writes.done()

    def advance(self, pk: str, sk: str, item: Mapping[str, Any], attribute: str) -> bool:
        stored = self.items.get((pk, sk))
        if stored is not None and stored[attribute] > item[attribute]:
            return False
        self.put(pk, sk, item)
        return True

    def put_if(
        self,
        pk: str,
        sk: str,
        item: Mapping[str, Any],
        condition: str,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> bool:
        """Knows conditions that are joined by AND: ``#name = :value`` and ``attribute_not_exists(#name)``."""
        stored = self.items.get((pk, sk), {})
        for part in condition.split(" AND "):
            alias, equal, value = part.removeprefix("attribute_not_exists(").removesuffix(")").partition(" = ")
            attribute = (names or {})[alias]
            if (stored.get(attribute) != (values or {})[value]) if equal else attribute in stored:
                return False
        self.put(pk, sk, item)
        return True


class InQueue(NamedTuple):
    """A message that was received."""

    body: str
    receipt: str


class QueueInMemory:
    """A queue: a message that is received is hidden until it is deleted or released."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.hidden: list[str] = []

    def receive(self) -> InQueue | None:
        if not self.waiting:
            return None
        body = self.waiting.pop(0)
        self.hidden.append(body)
        return InQueue(body, body)

    def delete(self, receipt: str) -> None:
        self.hidden.remove(receipt)

    def release(self, receipt: str) -> None:
        self.delete(receipt)
        self.waiting.append(receipt)

    def time_passes(self) -> None:
        """The visibility timeout of what was received ends."""
        self.waiting, self.hidden = self.waiting + self.hidden, []
