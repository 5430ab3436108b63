"""What a data set of a history must contain, found by trying every version: the slow and simple way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from include.lake.instants import parse_instant
from tests.support.histories import CUTOFF, FIRST_DAY, History

LEAD = timedelta(hours=1)


class Known(NamedTuple):
    """An event or a reference row, and its times."""

    claimed: datetime
    known: datetime
    arrived: datetime
    content: dict[str, Any]


def expected_rows(history: History, initial_load: date | None) -> set[tuple[Any, ...]]:
    """The rows: key, event_time, label, price, maker_name."""
    makers = _makers(history, initial_load)
    events: dict[str, Known] = {}
    for event in events_of(history, history.lines("nightjar-shop")):
        content = json.dumps(event.content, sort_keys=True)
        events[content] = min(events.get(content, event), event, key=lambda copy: (copy.known, copy.arrived))
    newest: dict[tuple[str, str], Known] = {}
    for event in sorted(events.values(), key=_order):
        if is_in_time(event):
            newest[event.content["event_type"], event.content["key"]] = event
    found = set()
    for (event_type, key), event in newest.items():
        label = newest.get(("rated", key))
        if event_type != "offered" or label is None or label.content["payload"]["stars"] is None:
            continue
        at, payload = parse_instant(event.content["event_time"]), event.content["payload"]
        visible = [m for m in makers if m.content["item"] == payload["item"] and m.known <= at - LEAD >= _since(m)]
        name = max(visible, key=lambda m: (_since(m), m.claimed, m.known)).content["name"] if visible else None
        found.add((key, at, int(label.content["payload"]["stars"] >= 4), float(payload["price"]), name))
    return found


def is_in_time(event: Known) -> bool:
    """Whether the event may be in the data set."""
    return event.known < CUTOFF and FIRST_DAY <= parse_instant(event.content["event_time"]) < CUTOFF


def events_of(history: History, lines: Iterable[str]) -> Iterator[Known]:
    """The events of raw lines of the stream."""
    for line in map(json.loads, lines):
        recorded_at = parse_instant(line["event"]["recorded_at"])
        yield _known(history, recorded_at, parse_instant(line["arrived_at"]), line["watermark"], line["event"])


def _makers(history: History, initial_load: date | None) -> list[Known]:
    read: dict[str, Known] = {}
    first: dict[tuple[str, str], Known] = {}
    for line in map(json.loads, history.lines("makers")):
        row = line["row"]
        version = _known(
            history, parse_instant(row["updated_at"]), parse_instant(line["snapshot"]), line["watermark"], row
        )
        read[row["name"]] = min(read.get(row["name"], version), version, key=lambda copy: copy.arrived)
    for version in sorted(read.values(), key=lambda version: version.arrived):
        first.setdefault((version.content["item"], version.content["since"]), version)
    loaded = [m.content["name"] for m in first.values() if initial_load and m.known.date() <= initial_load]
    return [m._replace(known=_since(m)) if m.content["name"] in loaded else m for m in read.values()]


def _known(
    history: History, claimed: datetime, arrived: datetime, watermark: str | None, content: dict[str, Any]
) -> Known:
    if history.workload.clock == "arrived_at" or claimed > arrived:
        claimed = arrived
    known = claimed if watermark is None or parse_instant(watermark) < claimed else parse_instant(watermark)
    return Known(claimed, known, arrived, content)


def _order(event: Known) -> tuple[Any, ...]:
    """Versions of a key in the order in which they count; the last ones are the tie breakers of the query."""
    values = event.content["payload"]
    last = values.get("price", values.get("stars"))
    times = (event.content["recorded_at"], event.content["event_time"])
    return (event.claimed, event.known, event.arrived, *times, values.get("item", ""), -1 if last is None else last)


def _since(maker: Known) -> datetime:
    return parse_instant(maker.content["since"])
