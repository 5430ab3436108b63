"""Markers of several days, read for some of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from include.lake import layout
from include.lake.buckets import DataBuckets
from include.lake.known import KnownFrom
from include.pipelines.ingest.raw_object import put_markers
from include.pipelines.markers import all_marked_days, marked, marker_counts
from include.pipelines.raw_inputs import RawInputs, workload_inputs
from include.workloads import Workload
from tests.support.stores_in_memory import ObjectsInMemory
from tests.support.tiny_workload import tiny_workload

BUCKETS = DataBuckets(raw="raw", lake="lake")
FIRST = date(2013, 3, 1)


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return tiny_workload(tmp_path)


def known(number: int) -> KnownFrom:
    instant = datetime(2013, 3, 1, tzinfo=UTC) + timedelta(hours=number)
    return KnownFrom(instant, instant)


def raw(workload: Workload, objects: ObjectsInMemory, name: str, *numbers: int) -> str:
    """A raw object with events of some days, counted from the first; what is of a day is known as many hours later."""
    key = f"{layout.raw_prefix(workload.name, workload.stream.name)}{name}"
    objects.put_once("raw", key, b"x", {"records": "1"})
    days = {str(FIRST + timedelta(days=number)): known(number) for number in numbers}
    put_markers(workload.name, workload.stream.name, key, days, buckets=BUCKETS, objects=objects)
    return key


def inputs(workload: Workload, objects: ObjectsInMemory, *numbers: int) -> RawInputs:
    days = (FIRST + timedelta(days=number) for number in numbers)
    return workload_inputs(workload, days, buckets=BUCKETS, objects=objects)


def test_each_day_has_the_objects_with_events_of_it_and_their_times_of_that_day(workload: Workload) -> None:
    objects = ObjectsInMemory()
    one, two, far = (raw(workload, objects, *args) for args in (("b/1", 1), ("a/2", 0, 1, 3), ("c/3", 3, 400)))
    assert len([key for _, key in objects.versions if key.startswith("index/")]) == 1 + 1 + 2
    found = inputs(workload, objects, 3, 1, 2)
    assert {day: list(keys) for day, keys in found.days.items()} == {"2013-03-04": [two, far], "2013-03-02": [two, one]}
    assert list(found.days) == ["2013-03-04", "2013-03-02"], "in the order that was asked for"
    assert found.known_from == {one: known(1), two: known(1), far: known(3)}
    assert inputs(workload, objects, 3).known_from[two] == known(3), "what is of other days does not count"
    assert inputs(workload, objects, 400).of(["2014-04-05"]).keys() == {far}
    assert all_marked_days(workload, "lake", objects) == {
        "2013-03-01",
        "2013-03-02",
        "2013-03-04",
        "2014-04-05",
    }


def test_an_object_that_an_earlier_release_began_to_mark_counts_once(workload: Workload) -> None:
    objects = ObjectsInMemory()
    key = raw(workload, objects, "a", 0, 1)
    objects.put("lake", layout.marker_key(workload.name, workload.stream.name, FIRST, key, known(0)), b"")
    assert marker_counts(workload, ["2013-03-01", "2013-03-02", "2013-03-03"], "lake", objects) == {
        "2013-03-01": 1,
        "2013-03-02": 1,
        "2013-03-03": 0,
    }
    found = inputs(workload, objects, 0)
    assert (list(found.days["2013-03-01"]), found.known_from) == ([key], {key: known(0)})


class CountedListings(ObjectsInMemory):
    """Counts what is listed."""

    def __init__(self) -> None:
        super().__init__()
        self.listings: list[int] = []

    def keys(self, bucket: str, prefix: str, after: str = "") -> Iterator[str]:
        number = len(self.listings)
        self.listings.append(0)
        for key in super().keys(bucket, prefix, after):
            self.listings[number] += 1
            yield key


def test_what_is_listed_does_not_grow_with_the_history_or_with_the_sets_of_days(workload: Workload) -> None:
    """Each of these objects has a set of days of its own, as with late events of phones, so a folder of its own."""
    objects = CountedListings()
    for number in range(300):
        raw(workload, objects, f"{number}/x", number, number + 1 + number % 29)
    objects.listings.clear()
    found = list(marked(workload, [FIRST + timedelta(days=150)], "lake", objects))
    assert {key for _, key, _ in found} >= {f"{layout.raw_prefix(workload.name, workload.stream.name)}150/x"}
    assert len(objects.listings) == 2 * len(workload.event_sources)
    assert max(objects.listings) <= 33, "a month of first days, and the one at which the listing ends"


def test_days_without_a_gap_are_listed_together(workload: Workload) -> None:
    objects = CountedListings()
    for number in range(90):
        raw(workload, objects, f"a/{number:02d}", number)
    objects.listings.clear()
    days = [str(FIRST + timedelta(days=number)) for number in (*range(20, 50), 60, 70, 71)]
    assert marker_counts(workload, days, "lake", objects) == dict.fromkeys(days, 1)
    assert len(objects.listings) == 4 * len(workload.event_sources), "three rows of days, and markers of several days"
    assert sum(objects.listings) == len(days) + 2, "after a row of several days one marker, and none after one day"
