"""Late events over many nights: they are trained on by themselves, and change no data set that was built before."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from include.errors import RefusedError
from include.lake.days import cutoff, utc_date
from include.workloads import Workload
from tests.support.nights import DAY, START, Event, Nights
from tests.support.tiny_workload import tiny_workload

HOUR = timedelta(hours=1)
NIGHTS = [utc_date(START + offset * DAY) for offset in range(8)]


def workload(clock: str = "recorded_at", late_days: int = 3) -> Workload:
    with tempfile.TemporaryDirectory() as folder:
        return tiny_workload(Path(folder), clock=clock, dataset__late_days=late_days, dataset__minimum_split_rows=1)


def offer(key: str, day: int, late: float = 0, trusted: bool = True) -> Event:
    """An offer of a day (0 is the first one), which arrives some days late."""
    at = START + day * DAY + 12 * HOUR
    arrives = at + late * DAY
    payload = {"item": "a", "price": 10.0 + day}
    return Event(arrives, "offered", key, at, at if trusted else arrives, payload)


def rating(key: str, day: int, late: float, stars: int = 5, trusted: bool = True) -> Event:
    """A rating of a day, which arrives some days late. ``trusted``: its producer recorded it when it happened."""
    at = START + day * DAY + 13 * HOUR
    arrives = at + late * DAY
    return Event(arrives, "rated", key, at, at if trusted else arrives, {"stars": stars})


def beats() -> list[Event]:
    """An event every six hours, so that the watermark moves and no day is empty."""
    times = [START + hour * HOUR for hour in range(0, 24 * 10, 6)]
    return [Event(at, "offered", "beat", at, at, {"item": "beat", "price": 0}) for at in times]


def keys(rows: list[tuple[Any, ...]]) -> set[str]:
    return {row[0] for row in rows}


def test_a_label_that_arrives_three_days_late_is_in_the_next_nights_data_set_and_in_none_before() -> None:
    nights = Nights(workload(), [*beats(), offer("k", 1), rating("k", 1, late=3)])
    built = {day: nights.night(day) for day in NIGHTS[:6]}
    trained = [day.day for day, found in built.items() if found and "k" in keys(found.rows)]
    assert trained == [5, 6], "it arrived on the fifth day, and the window of the sixth still has its day"
    assert all(built.values())
    for day, found in built.items():
        assert nights.dataset(day) == found, f"the data set of {day} has changed"


def test_a_label_later_than_the_late_window_stops_the_nights_that_would_have_it_until_its_day_is_processed() -> None:
    nights = Nights(workload(late_days=2), [*beats(), offer("k", 1), rating("k", 1, late=3)])
    built = {day: nights.night(day) for day in NIGHTS[:5]}
    assert [day.day for day, found in built.items() if found is None] == [5]
    with pytest.raises(RefusedError, match=r"Events of 2013-03-02 were known before .*shop_process with date"):
        nights.dataset(NIGHTS[4])
    nights.process(NIGHTS[1])
    assert "k" in keys(nights.dataset(NIGHTS[4]).rows)
    assert [nights.dataset(day) for day in NIGHTS[:4]] == [built[day] for day in NIGHTS[:4]]


def test_a_run_processes_only_the_days_whose_events_arrived_later() -> None:
    nights = Nights(workload(), [*beats(), offer("k", 1), rating("k", 1, late=2), rating("k", 2, late=1)])
    for day in NIGHTS[:3]:
        nights.night(day)
    nights.ingest(cutoff(NIGHTS[3]) + HOUR)
    plan = nights.process(NIGHTS[3])
    assert plan and plan["late"] == ["2013-03-02", "2013-03-03"]
    nights.ingest(cutoff(NIGHTS[4]) + HOUR)
    plan = nights.process(NIGHTS[4])
    assert plan and (plan["late"], list(plan["days"])) == ([], ["2013-03-05"])


DELAYS = st.sampled_from([0, 0, 0.2, 0.6, 1, 2.3, 3.1, 5, 7])
EVENTS = st.lists(
    st.builds(
        lambda make, key, day, late, trusted: make(f"k{key}", day, late, trusted=trusted),
        st.sampled_from([offer, rating]),
        st.integers(0, 3),
        st.integers(0, 6),
        DELAYS,
        st.booleans(),
    ),
    max_size=12,
)


@pytest.mark.parametrize("clock", ["recorded_at", "arrived_at"])
def test_whatever_arrives_afterwards_a_night_has_the_same_rows_and_the_same_version(clock: str) -> None:
    shop = workload(clock)

    @settings(max_examples=8, phases=[Phase.generate])  # an example takes a second: shrinking would take minutes
    @given(EVENTS)
    def check(events: list[Event]) -> None:
        nights = Nights(shop, [*beats(), *events])
        built = {day: found for day in NIGHTS if (found := nights.night(day))}
        nights.ingest(START + 99 * DAY)
        nights.process(*NIGHTS)
        for day in NIGHTS:
            now = nights.dataset(day)
            assert keys(now.rows) == trained_keys(nights, day)
            assert built.get(day, now) == now, f"the data set of {day} has changed"

    check()


def trained_keys(nights: Nights, day: date) -> set[str]:
    """The keys that a night's data set must have: those with an offer and a rating known by its cut-off."""
    at = cutoff(day).replace(tzinfo=None)
    window = [event for event in nights.parsed() if event.known_at and event.event_time and event.known_at < at]
    found: dict[str, set[str | None]] = {
        event_type: {
            event.key
            for event in window
            if event.event_type == event_type and at - 5 * DAY <= (event.event_time or at) < at
        }
        for event_type in ("offered", "rated")
    }
    return {key for key in found["offered"] & found["rated"] if key}
