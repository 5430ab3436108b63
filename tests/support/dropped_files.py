"""A workload that takes dropped files, in memory, and files for it."""

from __future__ import annotations

import contextlib
import io
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.errors import NothingToDoError
from include.lake.buckets import DataBuckets
from include.lake.instants import parse_instant
from include.pipelines.ingest.file_outcomes import FileOutcome
from include.pipelines.ingest.files import FileIngest
from include.pipelines.ingest.watermark import advance_watermark
from include.pipelines.raw_inputs import workload_inputs
from include.workloads import Workload
from tests.support.stores_in_memory import ItemsInMemory, ObjectsInMemory, QueueInMemory
from tests.support.tiny_workload import tiny_workload

BUCKETS = DataBuckets(raw="raw-bucket", lake="lake-bucket")
FILES = {
    "offers": {"match": "offers/*.csv", "format": "csv", "event": "offered"},
    "ratings": {"match": "*.jsonl", "format": "json_lines"},
    "sales": {"match": "*.parquet", "format": "parquet", "event": "offered"},
}
RAW, QUARANTINE, STREAM = "raw/shop/files/", "quarantine/shop/files/", "nightjar-shop"
DAY = date(2013, 3, 1)
HEADER = "key,event_time,recorded_at,item,price"
ARRIVED = "2013-03-01T20:00:00Z"


def csv(*keys: str, header: str = HEADER) -> bytes:
    rows = [f"{key},{DAY}T10:00:00Z,{DAY}T11:00:00Z,a,1" for key in keys]
    return ("\n".join([header, *rows]) + "\n").encode()


def parquet(*keys: str) -> bytes:
    times = [parse_instant(f"{DAY}T10:00:00Z")] * len(keys)
    file = io.BytesIO()
    pq.write_table(
        pa.table({"key": keys, "event_time": times, "item": ["a"] * len(keys), "price": [1.0] * len(keys)}), file
    )
    return file.getvalue()


class Shop:
    """A workload that takes files, in memory."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.objects, self.state, self.queue = ObjectsInMemory(), ItemsInMemory(), QueueInMemory()

    def drop(self, name: str, content: bytes, arrived: str = ARRIVED) -> str:
        """Puts a file; S3 announces it. Returns the message."""
        key = f"drops/shop/{name}"
        self.objects.put(BUCKETS.lake, key, content)
        version = f"v{len(self.objects.versions[BUCKETS.lake, key])}"
        message = json.dumps({"time": arrived, "detail": {"object": {"key": key, "version-id": version}}})
        self.queue.waiting.append(message)
        return message

    def complete(self, until: str) -> None:
        """The stream is complete up to an instant."""
        end, stores = parse_instant(until), {"objects": self.objects, "state": self.state}
        with contextlib.suppress(NothingToDoError):
            advance_watermark(self.workload, [], end, end, buckets=BUCKETS, **stores)  # type: ignore[arg-type]

    def ingest(self) -> list[FileOutcome]:
        """Runs once; raises the error of a file that could not be read."""
        read = FileIngest(self.workload, BUCKETS, "sha", self.objects, self.state).run(self.queue)
        if read.error:
            raise read.error
        return read.outcomes

    def raw(self) -> list[Any]:
        return self.objects.lines(BUCKETS.raw, RAW)

    def keys_in_raw(self) -> list[str]:
        """The keys of events in objects that have a marker, so that process reads them."""
        inputs = workload_inputs(self.workload, [DAY], buckets=BUCKETS, objects=self.objects)
        marked = inputs.days.get(DAY.isoformat(), {})
        return sorted(line["event"]["key"] for key in marked for line in self.objects.lines(BUCKETS.raw, key))

    def known_from(self) -> list[datetime]:
        """From when on anything in each object that has a marker counts as known."""
        inputs = workload_inputs(self.workload, [DAY], buckets=BUCKETS, objects=self.objects)
        return [found.recorded_at for found in inputs.known_from.values() if found]

    def refusals(self) -> list[Any]:
        keys = self.objects.keys(BUCKETS.lake, f"{QUARANTINE}refused/")
        return [self.objects.get_json(BUCKETS.lake, key) for key in keys]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tiny_workload(tmp_path, files=FILES))
