"""Turns the human-rated texts of vaderSentiment 0.5 (MIT) into stream events: sentences of product reviews, and tweets.

The texts and their ratings (the mean of at least twenty people, -4 to 4) are real. **Their times are not**: the data
have none. The texts are spread evenly over 2013, in the order of a hash of their keys, so every run gives the same
events. A text is *written*; at most six hours later, again by the hash, it is *rated*.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from include.lake.instants import format_instant

ARCHIVE = "hutto_ICWSM_2014.tar.gz"
# Channel → member of the archive. Each line has an id, the mean rating and the text, separated by tabs.
MEMBERS = {
    "review": "hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt",
    "tweet": "hutto_ICWSM_2014/tweets_GroundTruth.txt",
}
FIRST, AFTER_LAST = datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC)
SHORTEST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=6)


class Rated(NamedTuple):
    """One text with its rating. Texts are ordered by ``order``, the hash of the key."""

    order: bytes
    key: str
    channel: str
    text: str
    rating: float


def events(data: Path, start: date, end: date) -> Iterator[dict[str, Any]]:
    """Yields the events recorded in [start, end), midnights in UTC, in order of ``recorded_at``."""
    first, last = (format_instant(datetime.combine(day, time(), UTC)) for day in (start, end))
    texts = rated_texts(data)
    found = [event for index, text in enumerate(texts) for event in _events_of(text, index, len(texts))]
    found.sort(key=lambda event: (event["recorded_at"], event["event_type"], event["key"]))
    yield from (event for event in found if first <= event["recorded_at"] < last)


def rated_texts(data: Path) -> list[Rated]:
    """Returns every text, in the order in which they are written."""
    found = []
    with tarfile.open(data / ARCHIVE) as archive:
        for channel, member in MEMBERS.items():
            file = archive.extractfile(member)
            if file is None:
                raise ValueError(f"{ARCHIVE} has no file {member}")
            with file:
                lines = file.read().decode().splitlines()
            for line in lines:
                number, rating, text = line.split("\t")
                key = f"{channel}-{number}"
                found.append(Rated(sha256(key.encode()).digest(), key, channel, text, float(rating)))
    return sorted(found)


def _events_of(text: Rated, index: int, total: int) -> Iterator[dict[str, Any]]:
    written = FIRST + (AFTER_LAST - FIRST) * index // total
    share = int.from_bytes(text.order[:4]) / 2**32
    rated = written + SHORTEST_WAIT + (LONGEST_WAIT - SHORTEST_WAIT) * share
    yield _event("written", text.key, written, {"text": text.text, "channel": text.channel})
    yield _event("rated", text.key, rated, {"rating": text.rating})


def _event(event_type: str, key: str, at: datetime, payload: dict[str, Any]) -> dict[str, Any]:
    instant = format_instant(at.replace(microsecond=0))
    return {"event_type": event_type, "key": key, "event_time": instant, "recorded_at": instant, "payload": payload}
