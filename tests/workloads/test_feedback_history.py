"""The events of the feedback workload: real texts and ratings, synthetic times that are the same in every run."""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.lake.instants import parse_instant
from include.workloads import check_record, load
from include.workloads.feedback.history.source import ARCHIVE, LONGEST_WAIT, MEMBERS, SHORTEST_WAIT, events
from tests.support.product_home import DATA

YEAR = (date(2013, 1, 1), date(2014, 1, 2))


@pytest.fixture(scope="module")
def year() -> list[dict[str, Any]]:
    return list(events(DATA / "feedback", *YEAR))


def test_every_text_is_written_once_and_rated_once_later(year: list[dict[str, Any]]) -> None:
    written = {event["key"]: event for event in year if event["event_type"] == "written"}
    rated = {event["key"]: event for event in year if event["event_type"] == "rated"}
    assert len(year) == 2 * 7908 and written.keys() == rated.keys() and len(written) == 7908
    for key, event in written.items():
        waited = parse_instant(rated[key]["event_time"]) - parse_instant(event["event_time"])
        assert SHORTEST_WAIT - timedelta(seconds=1) <= waited <= LONGEST_WAIT + timedelta(seconds=1)


def test_every_day_has_as_many_texts_of_both_channels(year: list[dict[str, Any]]) -> None:
    texts = [event for event in year if event["event_type"] == "written"]
    days = Counter(event["event_time"][:10] for event in texts)
    assert len(days) == 365 and set(days.values()) <= {21, 22}
    channels = Counter((event["event_time"][:7], event["payload"]["channel"]) for event in texts)
    assert len(channels) == 24 and min(channels.values()) > 250


def test_every_payload_fits_its_schema(year: list[dict[str, Any]]) -> None:
    workload = load("feedback")
    for event in year:
        assert check_record(workload.events[event["event_type"]].fields, event["payload"])[1] == [], event["key"]


def test_events_are_in_order_and_windows_are_cut_exactly(year: list[dict[str, Any]]) -> None:
    order = [event["recorded_at"] for event in year]
    assert order == sorted(order)
    middle = date(2013, 6, 20)
    parts = [*events(DATA / "feedback", YEAR[0], middle), *events(DATA / "feedback", middle, YEAR[1])]
    assert parts == year


def test_times_come_from_the_keys_alone(tmp_path: Path) -> None:
    one = _texts(tmp_path / "one", {"review": ["1", "2"], "tweet": ["1"]})
    other = _texts(tmp_path / "other", {"review": ["2", "1"], "tweet": ["1"]})
    assert list(events(one, *YEAR)) == list(events(other, *YEAR))


def _texts(folder: Path, numbers: dict[str, list[str]]) -> Path:
    folder.mkdir()
    with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
        for channel, member in MEMBERS.items():
            body = "".join(f"{number}\t0.5\ttext {number}\r\n" for number in numbers[channel]).encode()
            info = tarfile.TarInfo(member)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return folder
