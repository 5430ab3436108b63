"""Raw objects and an inputs document in a folder, as the ingest writes them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from include.lake.fingerprint import inputs_document


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, us: int = 0) -> datetime:
    """A naive UTC datetime, as processed files contain them."""
    return datetime(year, month, day, hour, minute, second, us, tzinfo=UTC).replace(tzinfo=None)


def line(
    event: Any, arrived_at: str = "2013-03-01T20:00:00Z", sequence_number: int = 1, watermark: str | None = None
) -> str:
    """A raw line that contains an event as it was sent."""
    record = {
        "shard_id": "shard-0",
        "sequence_number": str(sequence_number),
        "arrived_at": arrived_at,
        "watermark": watermark,
        "event": event,
    }
    return json.dumps(record)


def offered(key: str, at: str, recorded_at: str | None = None, **payload: Any) -> dict[str, Any]:
    """An ``offered`` event of the tiny workload."""
    payload = {"item": "a", "price": 10, **payload}
    return {"event_type": "offered", "key": key, "event_time": at, "recorded_at": recorded_at or at, "payload": payload}


def rated(key: str, at: str, stars: int) -> dict[str, Any]:
    """A ``rated`` event of the tiny workload."""
    return {"event_type": "rated", "key": key, "event_time": at, "recorded_at": at, "payload": {"stars": stars}}


def maker(
    item: str | None,
    since: str,
    updated_at: str,
    name: Any,
    snapshot: str = "2013-05-01T00:00:00Z",
    watermark: str | None = None,
) -> str:
    """A raw line of the table ``makers``."""
    row = {"item": item, "since": since, "updated_at": updated_at, "name": name}
    return json.dumps({"table": "makers", "snapshot": snapshot, "watermark": watermark, "row": row})


def write_inputs(
    folder: Path,
    days: Iterable[date],
    stream: Iterable[Iterable[str]],
    tables: Mapping[str, Iterable[Iterable[str]]] | None = None,
) -> str:
    """Writes each list of lines as an object, and inputs.json; returns the URI of inputs.json."""
    lake = folder / "lake"

    def put(source: str, objects: Iterable[Iterable[str]]) -> dict[str, str]:
        keys = {}
        for i, lines in enumerate(objects):
            key = f"raw/shop/{source}/ingest_date=2013-03-01/{i:05}.jsonl.gz"
            (lake / key).parent.mkdir(parents=True, exist_ok=True)
            (lake / key).write_bytes(gzip.compress("\n".join(lines).encode()))
            keys[key] = "checksum"
        return keys

    listed = {name: put(name, objects) for name, objects in (tables or {}).items()}
    document = inputs_document("shop", days, put("nightjar-shop", stream), listed, str(lake))
    (folder / "inputs.json").write_text(json.dumps(document))
    return f"file://{folder}/inputs.json"
