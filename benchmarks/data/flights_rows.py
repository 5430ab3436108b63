"""Synthetic raw objects of the workload flights: so many scheduled and landed events a day, and its four tables."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from include.lake.instants import format_instant

CARRIERS = ("9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV")
ORIGINS = ("EWR", "JFK", "LGA")
PLANES, AIRPORTS, FILES_A_DAY = 3000, 1400, 4
BEFORE = "2012-12-01T00:00:00Z"


def table_objects(days: list[date]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The tables' raw objects, as (table, rows): three that are loaded once, and an object of weather for each day."""
    draw = random.Random(0)
    always = {"valid_from": BEFORE, "updated_at": BEFORE}
    airlines: list[dict[str, Any]] = [
        {"carrier": carrier, "name": f"Airline {carrier}", **always} for carrier in CARRIERS
    ]
    airports: list[dict[str, Any]] = [
        {"faa": _airport(n), "lat": draw.uniform(20, 60), "lon": draw.uniform(-160, -60), "name": f"Airport {n}"}
        | always
        for n in range(AIRPORTS)
    ]
    planes: list[dict[str, Any]] = [
        {"tailnum": _plane(n), "year_built": draw.randint(1970, 2012), "seats": draw.randint(2, 400)}
        | {"manufacturer": draw.choice(("BOEING", "AIRBUS", "EMBRAER")), **always}
        for n in range(PLANES)
    ]
    yield from (("airlines", airlines), ("airports", airports), ("planes", planes))
    for day in [days[0] - timedelta(days=1), *days]:
        yield "weather", [_weather(draw, origin, day, hour) for hour in range(24) for origin in ORIGINS]


def stream_objects(day: date, rows: int) -> Iterator[list[dict[str, Any]]]:
    """The stream's raw objects of a day, as events: ``rows`` that are scheduled, and as many that have landed."""
    draw = random.Random(day.toordinal())
    for part in range(FILES_A_DAY):
        events: list[dict[str, Any]] = []
        for n in range(part, rows, FILES_A_DAY):
            at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=draw.randrange(86_400))
            common = {"key": f"{day}-{n}", "event_time": format_instant(at)}
            scheduled = {"event_type": "scheduled", "recorded_at": format_instant(at - timedelta(days=1))}
            landed = {"event_type": "landed", "recorded_at": format_instant(at + timedelta(hours=4))}
            events.append({**scheduled, **common, "payload": _flight(draw, at)})
            events.append({**landed, **common, "payload": {"arr_delay": draw.randint(-60, 200)}})
        yield events


def stream_body(events: list[dict[str, Any]], part: int) -> bytes:
    """A raw object of the stream."""
    lines = (
        {"shard_id": f"shard-{part}", "sequence_number": str(n), "arrived_at": event["recorded_at"]}
        | {"watermark": None, "event": event}
        for n, event in enumerate(events)
    )
    return _compressed(lines)


def table_body(table: str, rows: list[dict[str, Any]]) -> bytes:
    """A raw object of a table."""
    return _compressed({"table": table, "snapshot": row["updated_at"], "watermark": None, "row": row} for row in rows)


def _compressed(lines: Iterator[dict[str, Any]]) -> bytes:
    return gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode(), mtime=0)


def _airport(number: int) -> str:
    return f"A{number:04d}"


def _plane(number: int) -> str:
    return f"N{number:05d}"


def _flight(draw: random.Random, at: datetime) -> dict[str, Any]:
    return {
        "carrier": draw.choice(CARRIERS),
        "flight": draw.randint(1, 9999),
        "tailnum": _plane(draw.randrange(PLANES)) if draw.random() > 0.02 else None,
        "origin": draw.choice(ORIGINS),
        "dest": _airport(draw.randrange(AIRPORTS)),
        "distance": draw.randint(80, 4900),
        "year": at.year,
        "month": at.month,
        "day": at.day,
        "weekday": at.weekday(),
        "sched_dep_hour": at.hour,
        "sched_dep_minute": at.minute,
        "sched_duration": draw.randint(40, 400),
    }


def _weather(draw: random.Random, origin: str, day: date, hour: int) -> dict[str, Any]:
    at = format_instant(datetime(day.year, day.month, day.day, hour, tzinfo=UTC))
    values = {"temp": draw.uniform(0, 100), "dewp": draw.uniform(0, 60), "humid": draw.uniform(10, 100)}
    wind = {"wind_dir": draw.randint(0, 360), "wind_speed": draw.uniform(0, 40), "wind_gust": None}
    air = {"precip": draw.uniform(0, 1), "pressure": draw.uniform(990, 1030), "visib": draw.randint(0, 10)}
    return {"origin": origin, "time_hour": at, "updated_at": at, **values, **wind, **air}
