"""The plan of a retrain run: its cut-off and the two queries of its data set."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypedDict

from include.lake import days as calendar
from include.lake import layout, state_keys
from include.lake.fingerprint import digest, submit_key
from include.lake.instants import format_instant
from include.lake.uris import s3_uri
from include.pipelines.attempt import ATTEMPT_KEY
from include.pipelines.protocols import StateStore
from include.pipelines.retrain.missing import missing_days, require_few_missing
from include.pipelines.retrain.window import window
from include.settings import Settings
from include.sql import dataset_digest, dataset_select, dataset_unload
from include.workloads import Workload


class DatasetPlan(TypedDict):
    """What the task ``plan`` returns."""

    day: str
    planned_at: str
    cutoff: str
    published: str
    """Digest of the transform runs that the days of the window are published from."""
    missing_days: dict[str, str]
    """Day of the window (ISO) that the data set leaves out → why."""
    code_sha: str
    key: str
    """Submit key of the UNLOAD."""
    digest_key: str
    """Submit key of the digest query."""
    dataset_query: str
    digest_query: str


def plan_dataset(
    workload: Workload, day: date, settings: Settings, code_sha: str, state: StateStore, present: datetime
) -> DatasetPlan:
    """Plans the data set of a day: taken at the end of the day, from the days that are published now.

    Raises:
        RefusedError: More days of the window are missing than the workload tolerates.
    """
    name, database, cutoff = workload.name, settings.glue_database, calendar.cutoff(day)
    published, missing = published_runs(workload, cutoff, state), missing_days(workload, cutoff, state)
    require_few_missing(workload, missing)
    select = dataset_select(workload, database, cutoff, missing)
    location = s3_uri(settings.lake_bucket, layout.dataset_prefix(name, ATTEMPT_KEY))
    key = submit_key(
        stage="dataset", workload=name, days=[str(day)], inputs=published, parameters=select, code_sha=code_sha
    )
    return {
        "day": str(day),
        "planned_at": format_instant(present),
        "cutoff": format_instant(cutoff),
        "published": published,
        "missing_days": missing,
        "code_sha": code_sha,
        "key": key,
        "digest_key": f"{key}-digest",
        "dataset_query": dataset_unload(workload, database, cutoff, location, missing),
        "digest_query": dataset_digest(workload, database, cutoff, missing),
    }


def published_runs(workload: Workload, cutoff: datetime, state: StateStore) -> str:
    """Returns a digest of the transform run that each day of the window is published from.

    It changes when a day of the window is published again.
    """
    return digest({day: item["run"] for day, item in published_days(workload, cutoff, state).items()})


def published_days(workload: Workload, cutoff: datetime, state: StateStore) -> dict[str, dict[str, Any]]:
    """Returns the state items of the days of the window that are published."""
    items = state.query(state_keys.day_partition_key(workload.name))
    found = {str(day): items.get(str(day)) for day in window(workload, cutoff)}
    return {day: item for day, item in found.items() if item and item.get("status") == "published"}
