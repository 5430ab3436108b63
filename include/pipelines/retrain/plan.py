"""The plan of a retrain run: its cut-off and the two queries of its data set."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypedDict

from include.lake import days as calendar
from include.lake import layout
from include.lake.fingerprint import digest, submit_key
from include.lake.instants import format_instant
from include.lake.uris import s3_uri
from include.pipelines.attempt import ATTEMPT_KEY
from include.pipelines.protocols import StateStore
from include.settings import Settings
from include.sql import dataset_digest, dataset_select, dataset_unload, split_bounds
from include.workloads import Workload


class DatasetPlan(TypedDict):
    """What the task ``plan`` returns."""

    day: str
    cutoff: str
    published: str
    """Digest of the transform runs that the days of the window are published from."""
    code_sha: str
    key: str
    """Submit key of the UNLOAD."""
    digest_key: str
    """Submit key of the digest query."""
    dataset_query: str
    digest_query: str


def plan_dataset(workload: Workload, day: date, settings: Settings, code_sha: str, state: StateStore) -> DatasetPlan:
    """Plans the data set of a day: taken at the end of the day, from the days that are published now."""
    name, database, cutoff = workload.name, settings.glue_database, calendar.cutoff(day)
    published = published_runs(workload, cutoff, state)
    select = dataset_select(workload, database, cutoff)
    location = s3_uri(settings.lake_bucket, layout.dataset_prefix(name, ATTEMPT_KEY))
    key = submit_key(
        stage="dataset", workload=name, days=[str(day)], inputs=published, parameters=select, code_sha=code_sha
    )
    return {
        "day": str(day),
        "cutoff": format_instant(cutoff),
        "published": published,
        "code_sha": code_sha,
        "key": key,
        "digest_key": f"{key}-digest",
        "dataset_query": dataset_unload(workload, database, cutoff, location),
        "digest_query": dataset_digest(workload, database, cutoff),
    }


def window(workload: Workload, cutoff: datetime) -> list[date]:
    """Returns the days whose partitions a data set reads."""
    first = split_bounds(workload.dataset, cutoff)["train"][0]
    return calendar.day_range(calendar.utc_date(first), calendar.utc_date(cutoff))[:-1]


def published_runs(workload: Workload, cutoff: datetime, state: StateStore) -> str:
    """Returns a digest of the transform run that each day of the window is published from.

    It changes when a day of the window is published again.
    """
    items = processed_days(workload, cutoff, state)
    return digest({day: item["run"] for day, item in items.items() if item.get("status") == "published"})


def processed_days(workload: Workload, cutoff: datetime, state: StateStore) -> dict[str, dict[str, Any]]:
    """Returns the state items of the days of the window that were published or refused."""
    items = state.query(layout.day_partition_key(workload.name))
    return {str(day): items[str(day)] for day in window(workload, cutoff) if str(day) in items}
