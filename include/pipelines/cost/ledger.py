"""The ledger: one item for each ended job, in the state table, in the partition of its workload and month.

A job is recorded under its own id in AWS. So however often it is recorded (by its sensor, by the teardown task, by the
sweep) and whoever adopts it, it counts once; and each failed attempt, which is a job of its own, counts too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NotRequired, Protocol, TypedDict, cast

from include.lake import state_keys
from include.lake.instants import parse_instant
from include.pipelines.cost.prices import prices
from include.pipelines.cost.usage import Charge, JobUsage, price_of
from include.pipelines.protocols import StateStore

UNCLAIMED = "-"
"""In place of a workload: jobs that no run has asked for."""
JOBS = ("glue", "athena", "sagemaker")
SERVICE, STORAGE = "service", "storage"
_ATTEMPT = re.compile(r"-a\d+$")


class Charges(Protocol):
    """The state table, as far as charges are read (``include.pipelines.protocols.StateStore``)."""

    def query(self, pk: str, *, last: int | None = None) -> Mapping[str, Mapping[str, Any]]:
        """Returns all items with this ``pk``."""


class Claim(TypedDict):
    """That a run has asked for a job (``nightjar.jobs.ledger.Claim``)."""

    dag_id: str
    run_id: str
    task: str
    subject: str
    """The workload."""
    at: str


class CostItem(TypedDict):
    """One charge."""

    kind: str
    """The service, ``service`` for hours of the prediction service, ``storage`` for stored bytes."""
    day: str
    stage: str
    """What the job was for."""
    quantity: float
    unit: str
    usd: float | None
    """None: the price table has no price for it."""
    priced: str
    """When the price was noted; empty without one."""
    job: NotRequired[str]
    state: NotRequired[str]
    key: NotRequired[str]
    """The submit key of the attempt; empty for a job that no submit task started."""
    run: NotRequired[str]
    """``<DAG>/<run>`` that asked for it first; empty for none."""


@dataclass(frozen=True)
class JobAccounts:
    """The ledger of a workload, as the toolkit of jobs uses it (``nightjar.jobs.ledger.Accounts``).

    Attributes:
        workload: The workload's name.
    """

    workload: str

    @property
    def subject(self) -> str:
        """What claims name: the workload."""
        return self.workload

    def claim_partition(self, submit_key: str) -> str:
        """Returns the partition key of the runs that have asked for one attempt of a job."""
        return state_keys.claim_partition_key(submit_key)

    def record(self, usage: JobUsage, claims: Sequence[Claim], state: StateStore) -> float | None:
        """Records an ended job, once; returns its price, or None where the table has none.

        Args:
            usage: What AWS reports of the job.
            claims: The runs that have asked for it, the first one first.
            state: The state table.
        """
        charge, first = price_of(usage, prices()), claims[0] if claims else None
        workload = first["subject"] if first else UNCLAIMED
        day = parse_instant(usage["ended_at"]).date()
        item: dict[str, Any] = {
            **_charged(charge),
            "kind": usage["service"],
            "day": day.isoformat(),
            "stage": first["task"].removeprefix("submit_") if first else usage["kind"],
            "job": usage["job"],
            "state": usage["state"],
            "key": usage["key"] or "",
            "run": f"{first['dag_id']}/{first['run_id']}" if first else "",
        }
        key = state_keys.cost_key(workload, day, usage["service"], usage["job"])
        state.put_if(*key, item, "attribute_not_exists(#day)", None, {"#day": "day"})
        return charge.usd

    def recorded(self, since: date, until: date, state: Charges) -> set[str]:
        """Returns the ids of the jobs that are recorded, also of no run, in the months of some days."""
        names = (self.workload, UNCLAIMED)
        return {job for name in names for item in charges(name, since, until, state) if (job := item.get("job"))}

    def run_sentence(self, dag_id: str, run_id: str, present: datetime, state: Charges) -> str:
        """Says what the jobs of a run have cost, its failed attempts too; empty for a run that started none."""
        found = of_run(self.workload, f"{dag_id}/{run_id}", present, state)
        return f"Its jobs cost {cost_text(found)}." if found else ""


def charges(workload: str, first: date, last: date, state: Charges) -> list[CostItem]:
    """Returns the charges in the months of some days, one query for each month."""
    months = dict.fromkeys(f"{first + timedelta(days=n):%Y-%m}" for n in range((last - first).days + 1))
    found: list[CostItem] = []
    for month in months:
        items = state.query(state_keys.cost_partition_key(workload, month))
        found += [cast("CostItem", item) for item in items.values()]
    return found


def of_run(workload: str, run: str, present: datetime, state: Charges) -> list[CostItem]:
    """Returns the charges of one run's jobs that ended this month or the one before."""
    day = present.astimezone(UTC).date()
    earlier = day.replace(day=1) - timedelta(days=1)
    return [item for item in charges(workload, earlier, day, state) if item.get("run") == run]


def attempts_of(workload: str, jobs: Iterable[str], first: date, last: date, state: Charges) -> list[CostItem]:
    """Returns the charges of jobs, and of the failed attempts at the same work, in the months of some days.

    Args:
        workload: The workload's name.
        jobs: Ids of the jobs in AWS.
        first: The first day.
        last: The last day.
        state: The state table.
    """
    wanted, found = set(jobs), charges(workload, first, last, state)
    work = {_work(item) for item in found if item.get("job") in wanted and item.get("key")}
    return [item for item in found if item.get("job") in wanted or (item.get("key") and _work(item) in work)]


def total(items: Iterable[Mapping[str, Any]]) -> float:
    """Adds up what has a price."""
    return sum(item["usd"] or 0.0 for item in items)


def cost_text(items: Sequence[CostItem]) -> str:
    """``$0.031 (transform $0.012, audit $0.019 in 2 jobs)``."""
    stages: dict[str, list[CostItem]] = {}
    for item in items:
        stages.setdefault(item["stage"], []).append(item)
    parts = [f"{stage} {_stage_text(of)}" for stage, of in stages.items()]
    return f"{dollars(total(items))} ({', '.join(parts)})"


def dollars(usd: float) -> str:
    """``$0.0042``, ``$12.50``."""
    return f"${usd:.4f}" if usd < 1 else f"${usd:,.2f}"


def _stage_text(items: Sequence[CostItem]) -> str:
    if any(item["usd"] is None for item in items):
        return f"unknown: no price of {items[0]['unit']}"
    several = f" in {len(items)} jobs" if len(items) > 1 else ""
    return dollars(total(items)) + several


def _work(item: CostItem) -> str:
    return _ATTEMPT.sub("", item.get("key", ""))


def _charged(charge: Charge) -> dict[str, Any]:
    priced = charge.priced.isoformat() if charge.priced else ""
    return {"quantity": charge.quantity, "unit": charge.unit, "usd": charge.usd, "priced": priced}
