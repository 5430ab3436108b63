"""Dropped files → raw: once, at the right time, with lineage, whatever fails in between."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.errors import NothingToDoError
from include.lake import layout
from include.lake.buckets import DataBuckets
from include.lake.instants import parse_instant
from include.pipelines.ingest.file_outcomes import FileOutcome, require_new, summary, warnings
from include.pipelines.ingest.files import FileIngest
from include.pipelines.ingest.watermark import advance_watermark
from include.pipelines.raw_inputs import workload_inputs
from include.workloads import Workload
from tests.support.stores_in_memory import CrashError, ItemsInMemory, ObjectsInMemory, QueueInMemory, Writes
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


def test_a_file_is_in_raw_with_its_markers_and_lineage(shop: Shop) -> None:
    shop.drop("offers/today.csv", csv("1", "2"))
    (found,) = shop.ingest()
    assert found == {
        "file": "drops/shop/offers/today.csv", "status": "ingested", "records": 2, "quarantined": 0, "reason": "",
    }  # fmt: skip
    assert shop.keys_in_raw() == ["1", "2"]
    line = shop.raw()[0]
    assert line["arrived_at"] == "2013-03-01T20:00:00.000000Z"
    ((key, item),) = shop.state.query("file#shop").items()
    assert line["shard_id"] == f"file-{key}"
    assert line["sequence_number"] == "2", "the line in the file"
    assert (item["file"], item["version"], item["records"]) == ("drops/shop/offers/today.csv", "v1", 2)
    assert not shop.queue.waiting and not shop.queue.hidden


def test_json_lines_are_events_as_on_the_stream(shop: Shop) -> None:
    event = {"event_type": "rated", "key": "1", "event_time": f"{DAY}T10:00:00Z", "recorded_at": f"{DAY}T10:00:00Z"}
    line = json.dumps({**event, "payload": {"stars": 5}})
    shop.drop("r.jsonl", f"{line}\nno event\n".encode())
    (found,) = shop.ingest()
    assert (found["records"], found["quarantined"]) == (1, 1)
    (refused,) = shop.objects.lines(BUCKETS.lake, f"{QUARANTINE}ingest_date=")
    assert refused["sequence_number"] == "2" and "not JSON" in refused["reason"]
    assert warnings([found]) == ["drops/shop/r.jsonl: 1 of 2 rows are no events, in quarantine"]


def test_a_parquet_file_is_events_like_a_csv_file(shop: Shop) -> None:
    shop.drop("s.parquet", parquet("1", "2"))
    shop.drop("offers/today.csv", csv("3"))
    assert [one["records"] for one in shop.ingest()] == [2, 1]
    assert shop.keys_in_raw() == ["1", "2", "3"]
    first, _, third = sorted(shop.raw(), key=lambda line: str(line["event"]["key"]))
    assert first["event"] == {**third["event"], "key": "1", "recorded_at": "2013-03-01T20:00:00.000000Z"} | {
        "event_time": "2013-03-01T10:00:00.000000Z"
    }


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("offers/cut.csv", csv("1", "2")[:-5], "may be cut off"),
        ("offers/latin.csv", csv("é").decode().encode("latin-1"), "is not UTF-8"),
        ("offers/other.csv", csv("1", header="key,when"), "has an unknown column, when"),
        ("cut.parquet", parquet("1", "2")[:-5], "does not end like Parquet, so it may be cut off"),
        ("text.parquet", csv("1"), "is not Parquet, which workload.yaml declares for its name"),
        ("offers/binary.csv", parquet("1"), "is Parquet, and workload.yaml declares another format"),
        ("prices.xml", b"<a/>\n", "accepts the name prices.xml; accepted: offers/*.csv, *.jsonl, *.parquet"),
    ],
)
def test_a_wrong_file_is_in_quarantine_with_its_name_and_reason(
    shop: Shop, name: str, content: bytes, reason: str
) -> None:
    shop.drop(name, content)
    (found,) = shop.ingest()
    assert found["status"] == "refused" and reason in found["reason"]
    (refusal,) = shop.refusals()
    assert refusal["file"] == f"drops/shop/{name}"
    assert refusal["reason"] == found["reason"]
    assert warnings([found]) == [f"drops/shop/{name} was refused: {found['reason']}"]
    assert shop.raw() == []
    assert not shop.queue.waiting and not shop.queue.hidden, "a second try would end in the same way"
    with pytest.raises(NothingToDoError, match="nothing to announce"):
        require_new([found])


def test_a_content_gets_into_raw_once_whatever_its_name(shop: Shop) -> None:
    shop.drop("offers/a.csv", csv("1"))
    shop.drop("offers/b.csv", csv("1"), arrived="2013-03-05T20:00:00Z")
    shop.drop("offers/a.csv", csv("1"))
    outcomes = shop.ingest()
    assert [one["status"] for one in outcomes] == ["ingested", "refused", "refused"]
    assert "has the content of drops/shop/offers/a.csv, which is in raw since 2013-03-01" in outcomes[1]["reason"]
    assert shop.keys_in_raw() == ["1"]
    assert summary(outcomes) == "1 files ingested with 1 events (0 rows quarantined), 2 refused, 0 already in raw"


def test_a_message_that_comes_twice_is_no_second_file(shop: Shop) -> None:
    message = shop.drop("offers/a.csv", csv("1"))
    shop.ingest()
    shop.queue.waiting.append(message)
    (again,) = shop.ingest()
    assert again["status"] == "repeated"
    assert shop.refusals() == []


def test_a_refused_file_is_read_again_when_its_mended_version_comes(shop: Shop) -> None:
    shop.drop("offers/a.csv", csv("1")[:-1])
    shop.ingest()
    shop.drop("offers/a.csv", csv("1"))
    assert [one["status"] for one in shop.ingest()] == ["ingested"]
    assert shop.keys_in_raw() == ["1"]


def test_the_version_of_the_message_is_read_and_not_the_newest(shop: Shop) -> None:
    first = shop.drop("offers/a.csv", csv("1"))
    shop.drop("offers/a.csv", csv("2"))
    shop.queue.waiting = [first]
    shop.ingest()
    assert shop.keys_in_raw() == ["1"]


def test_an_empty_queue_is_nothing_to_do_and_the_mark_of_a_folder_is_no_file(shop: Shop) -> None:
    with pytest.raises(NothingToDoError, match="No file was dropped"):
        shop.ingest()
    shop.drop("offers/", b"")
    with pytest.raises(NothingToDoError, match="No file was dropped"):
        shop.ingest()
    assert not shop.queue.hidden


def test_a_file_that_cannot_be_read_stops_no_other_and_comes_back(shop: Shop) -> None:
    broken = shop.drop("offers/broken.csv", csv("1"))
    shop.drop("offers/good.csv", csv("2"))
    opened: Callable[..., Any] = shop.objects.open_version

    def open_version(bucket: str, key: str, version: str) -> Any:
        if "broken" in key:
            raise OSError("the network is down")
        return opened(bucket, key, version)

    shop.objects.open_version = open_version  # type: ignore[method-assign]
    with pytest.raises(OSError, match="the network is down"):
        shop.ingest()
    assert shop.keys_in_raw() == ["2"]
    assert shop.queue.waiting == [broken] and not shop.queue.hidden
    shop.objects.open_version = opened  # type: ignore[method-assign]
    shop.ingest()
    assert shop.keys_in_raw() == ["1", "2"]


def test_rows_count_as_known_from_the_streams_watermark_on(shop: Shop) -> None:
    shop.complete("2013-03-04T00:00:00.000000Z")
    shop.drop("offers/late.csv", csv("1"))
    shop.ingest()
    assert [line["watermark"] for line in shop.raw()] == ["2013-03-04T00:00:00.000000Z"]
    assert shop.known_from() == [parse_instant("2013-03-04T00:00:00Z")], "no earlier data set can have had it"


def test_a_batch_whose_watermark_moves_before_its_markers_is_read_again(shop: Shop) -> None:
    """The stream advances between the look at its watermark and the markers: data sets up to the new one exist then."""
    shop.complete("2013-03-01T12:00:00.000000Z")
    put_once: Callable[..., bool] = shop.objects.put_once

    def put_slowly(*arguments: Any) -> bool:
        written = put_once(*arguments)
        shop.complete("2013-03-02T00:00:00.000000Z")
        return written

    shop.objects.put_once = put_slowly  # type: ignore[method-assign]
    shop.drop("offers/a.csv", csv("1", "2"))
    (found,) = shop.ingest()
    assert found["records"] == 2 and shop.keys_in_raw() == ["1", "2"]
    assert shop.known_from() == [parse_instant("2013-03-02T00:00:00Z")]
    assert shop.state.get(*layout.watermark_key("shop", STREAM)) == {"watermark": "2013-03-02T00:00:00.000000Z"}


@pytest.mark.parametrize("dies", [False, True])
def test_the_watermark_moves_on_only_after_the_markers_of_what_was_read_at_it(shop: Shop, dies: bool) -> None:
    """The stream advances between two markers, or after the run has died there."""
    shop.complete("2013-03-01T12:00:00.000000Z")
    put: Callable[..., None] = shop.objects.put
    in_raw: list[list[str]] = []

    def put_slowly(bucket: str, key: str, *arguments: Any) -> None:
        if key.startswith("index/") and not in_raw:
            in_raw.append([])
            shop.complete("2013-03-02T00:00:00.000000Z")
            in_raw.append(shop.keys_in_raw())
            if dies:
                raise CrashError
        put(bucket, key, *arguments)

    shop.objects.put = put_slowly  # type: ignore[method-assign]
    shop.drop("offers/a.csv", csv("1", "2"))
    with contextlib.suppress(CrashError):
        shop.ingest()
    assert in_raw[1] == ["1", "2"], "a data set up to the new watermark has them"
    assert shop.known_from() == [parse_instant("2013-03-01T12:00:00Z")], "and so it has when it is built again"
    assert shop.state.get(*layout.watermark_key("shop", STREAM)) == {"watermark": "2013-03-02T00:00:00.000000Z"}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", range(1, 11))
def test_a_crash_at_any_write_loses_nothing(shop: Shop, write: int, after: bool) -> None:
    shop.complete("2013-03-01T12:00:00.000000Z")
    shop.drop("offers/a.csv", csv("1", "", "2"))
    shop.objects.writes = shop.state.writes = Writes(write, after=after)
    crashed = False
    try:
        shop.ingest()
    except CrashError:
        crashed = True
    # The stream goes on before the message comes back.
    shop.objects.writes = shop.state.writes = Writes()
    shop.complete("2013-03-02T12:00:00.000000Z")
    marked_before = shop.keys_in_raw()
    shop.queue.time_passes()
    if crashed:
        assert [one["status"] for one in shop.ingest()] in (["ingested"], ["repeated"])
    assert sorted(set(shop.keys_in_raw())) == ["1", "2"]
    refused = shop.objects.lines(BUCKETS.lake, f"{QUARANTINE}ingest_date=")
    assert [line["reason"] for line in refused] == ["key: is missing"]
    if marked_before:
        return  # what was read twice, with another watermark, are exact duplicates: the transform drops them
    assert shop.keys_in_raw() == ["1", "2"]
    if crashed:
        assert shop.known_from() == [parse_instant("2013-03-02T12:00:00Z")], "nobody could read it before"
