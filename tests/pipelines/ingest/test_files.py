"""Dropped files → raw: once, at the right time, with lineage; a file that is not what it should be is refused."""

from __future__ import annotations

import json

import pytest

from include.errors import NothingToDoError
from include.pipelines.ingest.file_outcomes import require_new, summary, warnings
from tests.support.dropped_files import BUCKETS, DAY, QUARANTINE, Shop, csv, parquet


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
