"""Features of one flight: timetable, weather some hours before departure, aircraft, destination.

Pure functions of one request record: Glue computes the training rows with them, the service every prediction. A missing
value is None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

FEATURES = {
    "carrier": "category",
    "origin": "category",
    "dest": "category",
    "manufacturer": "category",
    "regional": "number",
    "weekday": "number",
    "departure_minute": "number",
    "distance": "number",
    "duration": "number",
    "planned_speed": "number",
    "temperature": "number",
    "dew_point_spread": "number",
    "humidity": "number",
    "wind_north": "number",
    "wind_east": "number",
    "wind_speed": "number",
    "wind_gust": "number",
    "precipitation": "number",
    "pressure": "number",
    "visibility": "number",
    "plane_age": "number",
    "seats": "number",
    "latitude": "number",
    "longitude": "number",
}

# Airlines that fly for a larger one, under its name; spelled as in airlines.csv.
REGIONAL = frozenset(
    {"Endeavor Air Inc.", "ExpressJet Airlines Inc.", "Envoy Air", "SkyWest Airlines Inc.", "Mesa Airlines Inc."}
)


def features(record: Mapping[str, Any]) -> dict[str, float | str | None]:
    """Returns the value of each feature in FEATURES for one request record."""
    north, east = _wind(record["weather_wind_speed"], record["weather_wind_dir"])
    return {
        "carrier": record["carrier"],
        "origin": record["origin"],
        "dest": record["dest"],
        "manufacturer": record["plane_manufacturer"],
        "regional": None if record["airline_name"] is None else float(record["airline_name"] in REGIONAL),
        "weekday": float(record["weekday"]),
        "departure_minute": record["sched_dep_hour"] * 60.0 + record["sched_dep_minute"],
        "distance": _number(record["distance"]),
        "duration": _number(record["sched_duration"]),
        "planned_speed": _ratio(record["distance"], record["sched_duration"]),
        "temperature": _number(record["weather_temp"]),
        "dew_point_spread": _difference(record["weather_temp"], record["weather_dewp"]),
        "humidity": _number(record["weather_humid"]),
        "wind_north": north,
        "wind_east": east,
        "wind_speed": _number(record["weather_wind_speed"]),
        "wind_gust": _number(record["weather_wind_gust"]),
        "precipitation": _number(record["weather_precip"]),
        "pressure": _number(record["weather_pressure"]),
        "visibility": _number(record["weather_visib"]),
        "plane_age": _difference(record["year"], record["plane_year_built"]),
        "seats": _number(record["plane_seats"]),
        "latitude": _number(record["dest_lat"]),
        "longitude": _number(record["dest_lon"]),
    }


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else float(a - b)


def _ratio(a: float | None, b: float | None) -> float | None:
    return None if a is None or not b else a / b


def _wind(speed: float | None, degrees: float | None) -> tuple[float | None, float | None]:
    """Returns the wind's components towards north and east, in the unit of speed; ``degrees`` is its origin."""
    if speed is None or degrees is None:
        return None, None
    radians = math.radians(degrees)
    return -speed * math.cos(radians), -speed * math.sin(radians)
