"""What a workload has cost this month, and what the rest of the month will cost, from its last nights.

The nights: for each DAG of the night, the median of its last scheduled runs, failed attempts included, for each night
that is left. Other jobs (of the monitor): the mean of the days that had any. The service: the declared tasks for each
hour that is left. Storage: what was stored last. What backfills and people start is in what was spent, not forecast.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, TypedDict

from include.pipelines.cost.ledger import JOBS, SERVICE, STORAGE, Charges, CostItem, charges, total

NIGHT_DAGS, MONITOR = ("process", "retrain"), "monitor"
LAST_RUNS = 14
"""Scheduled runs of a DAG that its median is of."""
_SCHEDULED = "scheduled__"


class Spent(TypedDict):
    """What a month has cost up to the present."""

    today: float
    month: float
    jobs: float
    service: float
    storage: float
    without_price: list[str]
    """Units that the price table has no price for: their jobs count as nothing."""


class Forecast(TypedDict):
    """What the rest of the month will cost, and the whole month."""

    night: float | None
    """One night; None without any to go by."""
    nights_left: int
    jobs: float
    service: float
    storage: float
    month: float
    """What was spent, and all of that."""
    basis: str


def days_of_month(day: date) -> int:
    """Returns how many days the month of a day has."""
    return monthrange(day.year, day.month)[1]


def recent_charges(workload: str, present: datetime, state: Charges) -> list[CostItem]:
    """Returns the charges of this month and the one before: two queries."""
    day = present.astimezone(UTC).date()
    return charges(workload, day.replace(day=1) - timedelta(days=1), day, state)


def spent(items: Iterable[CostItem], present: datetime) -> Spent:
    """Sums up this month."""
    day = present.astimezone(UTC).date()
    month = [item for item in items if item["day"][:7] == f"{day:%Y-%m}"]

    def of(*kinds: str) -> float:
        return total(item for item in month if item["kind"] in kinds)

    return {
        "today": total(item for item in month if item["day"] == day.isoformat()),
        "month": total(month),
        "jobs": of(*JOBS),
        "service": of(SERVICE),
        "storage": of(STORAGE),
        "without_price": sorted({item["unit"] for item in month if item["usd"] is None}),
    }


def forecast(workload: str, items: Sequence[CostItem], hourly: float, present: datetime) -> Forecast:
    """Forecasts the month.

    Args:
        workload: The workload's name.
        items: Its charges of this month and the one before.
        hourly: What its service costs an hour, with the tasks that it declares.
        present: The present.
    """
    day = present.astimezone(UTC).date()
    end = datetime(day.year, day.month, 1, tzinfo=UTC) + timedelta(days=days_of_month(day))
    hours, nights_left = (end - present).total_seconds() / 3600, days_of_month(day) - day.day
    medians = {dag: _typical(f"{workload}_{dag}", items) for dag in NIGHT_DAGS}
    known = {dag: usd for dag, usd in medians.items() if usd is not None}
    night = sum(known.values()) if known else None
    stored = max((item for item in items if item["kind"] == STORAGE), key=lambda item: item["day"], default=None)
    month_of_storage = _usd_month(stored) if stored else 0.0
    left = {
        "jobs": nights_left * ((night or 0.0) + _a_day(f"{workload}_{MONITOR}", items)),
        "service": hours * hourly,
        "storage": month_of_storage * hours / 24 / days_of_month(day),
    }
    return {
        "night": night,
        "nights_left": nights_left,
        "jobs": left["jobs"],
        "service": left["service"],
        "storage": left["storage"],
        "month": spent(items, present)["month"] + sum(left.values()),
        "basis": _basis(medians),
    }


def _runs(dag_id: str, items: Iterable[CostItem]) -> dict[str, float]:
    """Run → dollars, in the order of the days; scheduled runs only, if there are any."""
    found: dict[str, float] = {}
    for item in sorted(items, key=lambda item: item["day"]):
        run = item.get("run", "")
        if run.startswith(f"{dag_id}/"):
            found[run] = found.get(run, 0.0) + (item["usd"] or 0.0)
    scheduled = {run: usd for run, usd in found.items() if run.startswith(f"{dag_id}/{_SCHEDULED}")}
    return scheduled or found


def _typical(dag_id: str, items: Sequence[CostItem]) -> float | None:
    runs = [*_runs(dag_id, items).values()][-LAST_RUNS:]
    return median(runs) if runs else None


def _a_day(dag_id: str, items: Sequence[CostItem]) -> float:
    """The mean of the days on which a DAG has had jobs."""
    days: dict[str, float] = {}
    for item in items:
        if item.get("run", "").startswith(f"{dag_id}/"):
            days[item["day"]] = days.get(item["day"], 0.0) + (item["usd"] or 0.0)
    return sum(days.values()) / len(days) if days else 0.0


def _usd_month(item: Mapping[str, Any]) -> float:
    return float(item["usd_month"])


def _basis(medians: Mapping[str, float | None]) -> str:
    missing = [dag for dag, usd in medians.items() if usd is None]
    if len(missing) == len(medians):
        return "no night has run yet: only the service and storage are forecast"
    return f"no run of {missing[0]} has ended yet: it is not in it" if missing else "the last nights"
