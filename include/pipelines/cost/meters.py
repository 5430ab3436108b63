"""What is charged without a job: the hours of the prediction service's tasks, and stored bytes. One item a day each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, cast

from include.lake import layout, state_keys
from include.lake.instants import format_instant, parse_instant
from include.pipelines.cost.forecast import days_of_month
from include.pipelines.cost.ledger import SERVICE, STORAGE, CostItem
from include.pipelines.cost.prices import Prices, prices
from include.pipelines.protocols import StateStore
from include.settings import Settings
from include.workloads import Workload

LONGEST_GAP = timedelta(hours=6)
"""Hours of the service count between two looks at it; of a longer gap nobody knows whether it ran."""
LISTED_PAGES = 100
"""Pages of 1000 keys that are listed of one prefix; what is beyond them is not counted."""


class ServiceDay(CostItem):
    """The hours of a day."""

    until: str
    """The last look at the service."""
    tasks: int
    """How many ran then."""


class StoredDay(CostItem):
    """What was stored on a day."""

    bytes: int
    by_folder: dict[str, int]
    is_complete: bool
    """False: a folder has more objects than are listed."""
    usd_month: float
    """What it costs if it is stored for a whole month; ``usd`` is the part of one day."""


class Sizes(Protocol):
    """Sizes of objects in S3 (``nightjar.objects.ObjectStoreHook``)."""

    def size_below(self, bucket: str, prefix: str, pages: int) -> tuple[int, bool]:
        """Returns the bytes of the objects below a prefix, and whether so many pages were enough to list them."""


def task_hour(workload: Workload, table: Prices) -> float:
    """Returns what one task of the service costs an hour."""
    size = workload.serving
    return (
        size.cpu / 1024 * table.prices["fargate_vcpu_hour"].usd
        + size.memory / 1024 * table.prices["fargate_gb_hour"].usd
    )


def meter_service(workload: Workload, tasks: int, present: datetime, state: StateStore) -> None:
    """Adds the hours since the last look to the day.

    Repeating the call adds nothing, because the item says until when it counts.

    Args:
        workload: The workload.
        tasks: Tasks of its service that run.
        present: The present.
        state: The state table.
    """
    day, table = present.astimezone(UTC).date(), prices()
    today = state.get(*state_keys.cost_key(workload.name, day, SERVICE))
    last = today or state.get(*state_keys.cost_key(workload.name, day - timedelta(days=1), SERVICE))
    hours = 0.0
    if last is not None:
        gap = present - parse_instant(last["until"])
        hours = last["tasks"] * gap.total_seconds() / 3600 if timedelta(0) < gap <= LONGEST_GAP else 0.0
    quantity = (today["quantity"] if today else 0.0) + hours
    item: ServiceDay = {
        "kind": SERVICE,
        "day": day.isoformat(),
        "stage": "prediction service",
        "quantity": quantity,
        "unit": "task hours",
        "usd": quantity * task_hour(workload, table),
        "priced": table.dated(("fargate_vcpu_hour", "fargate_gb_hour")).isoformat(),
        "until": format_instant(present),
        "tasks": tasks,
    }
    state.put(*state_keys.cost_key(workload.name, day, SERVICE), item)


def meter_storage(workload: Workload, settings: Settings, present: datetime, sizes: Sizes, state: StateStore) -> None:
    """Lists what is stored for the workload, once a day; an empty folder again at each later look."""
    day, table = present.astimezone(UTC).date(), prices()
    key = state_keys.cost_key(workload.name, day, STORAGE)
    today = state.get(*key)
    listed: dict[str, int] = {name: size for name, size in today["by_folder"].items() if size} if today else {}
    found = {name: (size, bool(today and today["is_complete"])) for name, size in listed.items()}
    for bucket, folder, prefix in folders(workload.name, settings):
        name = f"{bucket}/{folder}"
        if name not in listed:
            found[name] = sizes.size_below(bucket, prefix, LISTED_PAGES)
    stored = sum(size for size, _ in found.values())
    usd_month = stored / 1e9 * table.prices["s3_standard_gb"].usd
    item: StoredDay = {
        "kind": STORAGE,
        "day": day.isoformat(),
        "stage": "stored bytes",
        "quantity": stored / 1e9 / days_of_month(day),
        "unit": "GB months",
        "usd": usd_month / days_of_month(day),
        "priced": table.prices["s3_standard_gb"].noted.isoformat(),
        "bytes": stored,
        "by_folder": {name: size for name, (size, _) in found.items()},
        "is_complete": all(complete for _, complete in found.values()),
        "usd_month": usd_month,
    }
    state.put(*key, cast("Mapping[str, Any]", item))


def folders(workload: str, settings: Settings) -> list[tuple[str, str, str]]:
    """Returns bucket, folder and prefix of everything that is stored for a workload."""
    buckets = {
        settings.raw_bucket: layout.RAW_FOLDERS,
        settings.lake_bucket: layout.LAKE_FOLDERS,
        settings.artifact_bucket: layout.ARTIFACT_FOLDERS,
    }
    return [
        (bucket, folder, layout.folder_prefix(folder, workload))
        for bucket, names in buckets.items()
        for folder in names
    ]
