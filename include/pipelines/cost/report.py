"""What a workload has cost in a month, by stage and by day. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from include.pipelines.cost.ledger import CostItem, total


class Line(TypedDict):
    """One stage of a month."""

    kind: str
    stage: str
    charges: int
    failed: int
    """Jobs among them that did not succeed."""
    quantity: float
    unit: str
    usd: float | None
    """None: one of them has no price."""
    priced: str
    """When the oldest price was noted."""


class MonthReport(TypedDict):
    """A month."""

    workload: str
    month: str
    usd: float
    lines: list[Line]
    days: dict[str, float]
    """Day → dollars."""
    runs: dict[str, float]
    """``<DAG>/<run>`` → dollars of its jobs."""
    without_price: list[str]


SUCCEEDED = frozenset({"SUCCEEDED", "Completed"})


def month_report(workload: str, month: str, items: Iterable[CostItem]) -> MonthReport:
    """Sums up the charges of a month."""
    found = [item for item in items if item["day"].startswith(month)]
    groups: dict[tuple[str, str, str], list[CostItem]] = {}
    days: dict[str, float] = {}
    runs: dict[str, float] = {}
    for item in sorted(found, key=lambda item: item["day"]):
        groups.setdefault((item["kind"], item["stage"], item["unit"]), []).append(item)
        days[item["day"]] = days.get(item["day"], 0.0) + (item["usd"] or 0.0)
        if run := item.get("run"):
            runs[run] = runs.get(run, 0.0) + (item["usd"] or 0.0)
    return {
        "workload": workload,
        "month": month,
        "usd": total(found),
        "lines": [_line(*group, of) for group, of in sorted(groups.items())],
        "days": days,
        "runs": runs,
        "without_price": sorted({item["unit"] for item in found if item["usd"] is None}),
    }


def _line(kind: str, stage: str, unit: str, items: list[CostItem]) -> Line:
    return {
        "kind": kind,
        "stage": stage,
        "charges": len(items),
        "failed": sum("state" in item and item["state"] not in SUCCEEDED for item in items),
        "quantity": sum(item["quantity"] for item in items),
        "unit": unit,
        "usd": None if any(item["usd"] is None for item in items) else total(items),
        "priced": min((item["priced"] for item in items if item["priced"]), default=""),
    }
