"""What the parts of a retrain run need in tests: settings, state, objects."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

from include.pipelines.deploy.live import NOTHING_LIVE
from include.pipelines.deploy.live_log import append
from include.settings import Settings

SETTINGS = Settings(
    raw_bucket="raw",
    lake_bucket="lake",
    artifact_bucket="artifact",
    training_image="training:1",
    training_role_arn="arn:aws:iam::123456789012:role/training",
    serving_image="serving:1",
    alerts_topic_arn="arn:aws:sns:us-east-1:123456789012:alerts",
)


class State:
    """A state table in memory."""

    def __init__(self, items: Mapping[tuple[str, str], dict[str, Any]] | None = None) -> None:
        self.items = dict(items or {})

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        return self.items.get((pk, sk))

    def query(self, pk: str, *, last: int | None = None) -> dict[str, dict[str, Any]]:
        found = sorted((sk for of, sk in self.items if of == pk), reverse=last is not None)
        return {sk: self.items[pk, sk] for sk in found[:last]}

    def put(self, pk: str, sk: str, item: Mapping[str, Any]) -> None:
        self.items[pk, sk] = dict(item)

    def put_if(self, pk: str, sk: str, item: Mapping[str, Any], *condition: Any) -> bool:
        self.put(pk, sk, item)
        return True

    def advance(self, *arguments: Any, **options: Any) -> bool:
        raise AssertionError("a retrain run writes no state")


def make_live(state: State, version: int, *earlier: int) -> None:
    """Records that versions are live, and were live before, newest first."""
    verified = {"version": version, "bundle_digest": f"d{version}", "task_definition": "t1", "image": "app:1"}
    history = [version, *earlier]
    append("flights", {**NOTHING_LIVE, **verified, "history": history, "revision": 1}, state)  # type: ignore[typeddict-item]


def published_days(**runs: str) -> State:
    """Returns a state table in which flights' days are published: day → transform run."""
    return State({("day#flights", day): {"status": "published", "run": run} for day, run in runs.items()})


class Stored(NamedTuple):
    """Checksum, metadata and size of an object."""

    sha256: str
    metadata: dict[str, str]
    size: int = 0


class Objects:
    """Objects in memory: (bucket, key) → body, and their metadata."""

    def __init__(self) -> None:
        self.bodies: dict[tuple[str, str], bytes] = {}
        self.user_metadata: dict[tuple[str, str], dict[str, str]] = {}

    def put(self, bucket: str, key: str, body: IO[bytes] | bytes) -> None:
        self.bodies[bucket, key] = body if isinstance(body, bytes) else body.read()

    def put_once(
        self, bucket: str, key: str, body: IO[bytes] | bytes, metadata: Mapping[str, str] | None = None
    ) -> bool:
        if (bucket, key) in self.bodies:
            return False
        self.put(bucket, key, body)
        self.user_metadata[bucket, key] = dict(metadata or {})
        return True

    def open(self, bucket: str, key: str) -> IO[bytes]:
        return io.BytesIO(self.bodies[bucket, key])

    def open_version(self, bucket: str, key: str, version: str) -> IO[bytes] | None:
        raise AssertionError("only dropped files have versions")

    def metadata(self, bucket: str, key: str) -> dict[str, str]:
        return self.user_metadata.get((bucket, key), {})

    def folders(self, bucket: str, prefix: str) -> Iterator[str]:
        names = {key.removeprefix(prefix).split("/")[0] for key in self.keys(bucket, prefix) if key.count("/")}
        yield from (f"{prefix}{name}/" for name in sorted(names))

    def keys(self, bucket: str, prefix: str, after: str = "") -> Iterator[str]:
        keys = (key for found, key in self.bodies if found == bucket and key.startswith(prefix))
        yield from sorted(key for key in keys if key > after)

    def stored(self, bucket: str, keys: Sequence[str]) -> dict[str, Stored]:
        return {key: Stored(f"sha of {key}", self.metadata(bucket, key), len(self.bodies[bucket, key])) for key in keys}

    def get_json(self, bucket: str, key: str) -> Any | None:
        body = self.bodies.get((bucket, key))
        return None if body is None else json.loads(body)
