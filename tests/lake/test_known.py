"""When a record became known: by whose clock, and never before an instant whose data sets are built."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.lake.known import Clock, KnownFrom, earliest, from_metadata, known_at, to_metadata, version_time

NOON = datetime(2013, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("clock", "recorded", "arrived", "watermark", "known", "version"),
    [
        ("recorded_at", -3, 0, None, -3, -3),
        ("recorded_at", -3, 0, -5, -3, -3),
        ("recorded_at", -3, 0, -1, -1, -3),  # back-dated: the stream was complete up to a later instant
        ("recorded_at", 9, 0, -1, 0, 0),  # a clock that is ahead is believed up to the arrival only
        ("recorded_at", -3, 0, 2, 2, -3),  # arrived before the end of a run, and was left unread by it
        ("arrived_at", -3, 0, -1, 0, 0),
        ("arrived_at", -3, 0, 2, 2, 0),
        ("arrived_at", 9, 0, None, 0, 0),
    ],
)
def test_known_at(clock: Clock, recorded: int, arrived: int, watermark: int | None, known: int, version: int) -> None:
    times = (NOON + recorded * MINUTE, NOON + arrived * MINUTE)
    floor = None if watermark is None else NOON + watermark * MINUTE
    assert known_at(clock, *times, floor) == NOON + known * MINUTE
    assert version_time(clock, *times) == NOON + version * MINUTE
    assert KnownFrom.of(*times, floor).by(clock) == NOON + known * MINUTE


def test_the_earliest_is_taken_by_each_clock() -> None:
    first, second = KnownFrom(NOON, NOON + 2 * MINUTE), KnownFrom(NOON - MINUTE, NOON + 3 * MINUTE)
    assert earliest(first, second) == earliest(second, first) == KnownFrom(NOON - MINUTE, NOON + 2 * MINUTE)


def test_an_objects_metadata_keeps_the_instants() -> None:
    known_from = KnownFrom(NOON, NOON + timedelta(microseconds=1))
    assert from_metadata(to_metadata(known_from)) == known_from
    assert from_metadata({"records": "1"}) is None
