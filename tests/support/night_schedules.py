"""Schedules of nights as the deadline check's archive has them."""

from __future__ import annotations

import base64
from importlib.resources import files
from typing import Any

from infra.lambdas.deadlines.nights import Schedule


def zone(name: str) -> str:
    """The time zone's file, as the package has it."""
    return base64.b64encode(files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()).decode()


def schedule(timezone: str = "UTC", **changes: Any) -> Schedule:
    entry = {
        "process": "30 0 * * *",
        "retrain": "0 2 * * *",
        "timezone": timezone,
        "zone": None if timezone == "UTC" else zone(timezone),
        "start": "2013-01-01",
        "deadline": "PT6H",
        "deploys": True,
    }
    return Schedule.read({**entry, **changes})
