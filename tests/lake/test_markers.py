"""Markers of raw objects: names that say which days, and from when on each of them is known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from include.lake import layout
from include.lake.known import KnownFrom
from include.lake.markers import MONTH, folder_days, marked_days, marker_keys

RAW = layout.raw_stream_key("shop", "stream", date(2013, 3, 1), "shard-0", "17")
FIRST = date(2013, 3, 1)
INSTANTS = st.datetimes(timezones=st.just(UTC))
KNOWN = st.builds(KnownFrom, INSTANTS, INSTANTS)
DAYS = st.dictionaries(st.dates() | st.dates(FIRST, FIRST + timedelta(days=40)), KNOWN, max_size=60)


def at(hour: int) -> KnownFrom:
    return KnownFrom(datetime(2013, 3, 1, hour, tzinfo=UTC), datetime(2013, 3, 2, hour, 0, 0, 1, tzinfo=UTC))


@given(DAYS)
def test_markers_name_the_object_its_days_and_their_times(days: dict[date, KnownFrom]) -> None:
    markers = marker_keys("shop", "stream", RAW, days)
    found = [marked_days(marker) for marker in markers]
    assert {day: known for marked in found for day, known in marked.items()} == days
    assert sum(map(len, found)) == len(days), "a day is in one marker"
    assert {layout.marked_raw_key("shop", "stream", marker) for marker in markers} == ({RAW} if days else set())
    for marker, marked in zip(markers, found, strict=True):
        assert folder_days(marker.rpartition("/")[0] + "/") == list(marked)


def test_an_object_has_one_marker_if_its_days_are_of_one_month() -> None:
    one = marker_keys("shop", "stream", RAW, {FIRST: at(1)})
    assert one == [layout.marker_key("shop", "stream", FIRST, RAW, at(1))], "as earlier releases named it"
    (two,) = marker_keys("shop", "stream", RAW, {FIRST: at(1), date(2013, 3, 4): at(2)})
    assert two.startswith(
        "index/shop/stream/event_dates=2013-03-01_00000009/ingest_date=2013-03-01__shard-0-17.jsonl.gz@"
    )
    days = [FIRST + timedelta(days=number) for number in range(MONTH + 1)]
    assert len(marker_keys("shop", "stream", RAW, dict.fromkeys(days[:-1], at(1)))) == 1
    assert len(marker_keys("shop", "stream", RAW, dict.fromkeys(days, at(1)))) == 2


def test_the_longest_key_is_one_that_s3_takes() -> None:
    file = layout.raw_stream_key(
        "w" * 40, "s" * 128, FIRST, f"file-{'f' * 64}", "9" * 12, datetime(2013, 3, 1, tzinfo=UTC)
    )
    days = dict.fromkeys((FIRST + timedelta(days=number) for number in range(MONTH)), at(1))
    (marker,) = marker_keys("w" * 40, "s" * 128, file, days)
    assert len(marker) <= 1024


def test_other_folders_are_of_no_day() -> None:
    assert folder_days("index/shop/stream/") == folder_days("index/shop/event_date=x/") == []
