"""Dropped files → raw, whatever fails or comes in between: nothing is lost, and nothing is known too early."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from include.lake import state_keys
from include.lake.instants import parse_instant
from tests.support.dropped_files import BUCKETS, QUARANTINE, STREAM, Shop, csv
from tests.support.stores_in_memory import CrashError, Writes


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

    shop.objects.put_once = put_slowly  # type: ignore[method-assign, assignment]
    shop.drop("offers/a.csv", csv("1", "2"))
    (found,) = shop.ingest()
    assert found["records"] == 2 and shop.keys_in_raw() == ["1", "2"]
    assert shop.known_from() == [parse_instant("2013-03-02T00:00:00Z")]
    assert shop.state.get(*state_keys.watermark_key("shop", STREAM)) == {"watermark": "2013-03-02T00:00:00.000000Z"}


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

    shop.objects.put = put_slowly  # type: ignore[method-assign, assignment]
    shop.drop("offers/a.csv", csv("1", "2"))
    with contextlib.suppress(CrashError):
        shop.ingest()
    assert in_raw[1] == ["1", "2"], "a data set up to the new watermark has them"
    assert shop.known_from() == [parse_instant("2013-03-01T12:00:00Z")], "and so it has when it is built again"
    assert shop.state.get(*state_keys.watermark_key("shop", STREAM)) == {"watermark": "2013-03-02T00:00:00.000000Z"}


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
