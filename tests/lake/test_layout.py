"""Keys follow from values, and from nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import yaml

from include.lake import layout, state_keys
from include.lake.known import KnownFrom

DAY = date(2013, 3, 1)
STATE_TABLE = Path(__file__).parents[2] / "infra" / "definitions" / "state_table.yaml"


def test_a_marker_names_its_raw_object() -> None:
    raw = layout.raw_stream_key("shop", "stream", DAY, "shard-0", "17")
    assert raw == "raw/shop/stream/ingest_date=2013-03-01/shard-0-17.jsonl.gz"
    marker = layout.marker_key("shop", "stream", date(2013, 2, 28), raw)
    assert marker == "index/shop/stream/event_date=2013-02-28/ingest_date=2013-03-01__shard-0-17.jsonl.gz"
    assert layout.marked_raw_key("shop", "stream", marker) == raw
    assert layout.marked_known_from(marker) is None


def test_a_marker_says_from_when_on_its_events_count_as_known() -> None:
    raw = layout.raw_stream_key("shop", "stream", DAY, "shard-0", "17")
    known_from = KnownFrom(datetime(999, 3, 1, 9, tzinfo=UTC), datetime(2013, 3, 1, 10, microsecond=5, tzinfo=UTC))
    marker = layout.marker_key("shop", "stream", DAY, raw, known_from)
    assert marker.endswith("shard-0-17.jsonl.gz@09990301090000000000-20130301100000000005")
    assert layout.marked_raw_key("shop", "stream", marker) == raw
    assert layout.marked_known_from(marker) == known_from


def test_a_runs_files_are_below_its_staging_prefix() -> None:
    prefix = layout.staging_prefix("shop", "run1")
    assert layout.partition_prefix("shop", "run1", "offered", DAY) == f"{prefix}offered/event_date=2013-03-01/"
    assert layout.audit_key("shop", "run1") == f"{prefix}audit.json"


def test_objects_of_a_table_sort_as_they_were_written() -> None:
    first, second = datetime(2013, 3, 1, 9, tzinfo=UTC), datetime(2013, 3, 1, 10, microsecond=5, tzinfo=UTC)
    keys = [layout.raw_table_key("shop", "makers", upper, chunk) for upper in (first, second) for chunk in (9, 10, 11)]
    assert keys == sorted(keys)
    assert keys[-1] == "raw/shop/makers/ingest_date=2013-03-01/20130301100000000005-00011.jsonl.gz"


def test_items_of_a_kind_share_their_partition_key() -> None:
    assert state_keys.day_key("shop", DAY) == (state_keys.day_partition_key("shop"), "2013-03-01")
    assert state_keys.watermark_key("shop", "stream") == ("watermark#shop", "stream")
    assert state_keys.checkpoint_key("shop", "s", "0") == (state_keys.checkpoint_partition_key("shop", "s"), "0")
    assert len({state_keys.day_partition_key("shop"), "watermark#shop", "live#shop"}) == 3


def test_the_state_table_is_defined_with_the_keys_of_its_items() -> None:
    defined = yaml.safe_load(STATE_TABLE.read_text())
    keys = [element["AttributeName"] for element in defined["KeySchema"]]
    assert keys == [state_keys.PARTITION_KEY, state_keys.SORT_KEY]
    assert {item["AttributeName"]: item["AttributeType"] for item in defined["AttributeDefinitions"]} == dict.fromkeys(
        keys, "S"
    )
