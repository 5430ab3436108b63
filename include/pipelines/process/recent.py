"""Which published days the audit of a run compares its days with.

The list is part of the plan and of the audit's submit key. It has only days before the run's, so what is published
later changes nothing when a day is processed again.
"""

from __future__ import annotations

from datetime import date, timedelta

from include.lake import layout
from include.lake.fingerprint import canonical_json, digest
from include.lake.recent import RecentDocument
from include.lake.uris import s3_uri
from include.pipelines.process.types import ComparedPlan, ProcessPlan
from include.pipelines.protocols import ObjectStore, StateStore
from include.settings import Settings
from include.workloads.comparison import RECENT_WINDOW_DAYS


def with_recent_days(
    workload: str, plan: ProcessPlan, settings: Settings, *, objects: ObjectStore, state: StateStore
) -> ComparedPlan:
    """Adds the list of recent days to a plan.

    Writes the list of the published days before the last day of a plan, with the URI of each day's statistics.

    Args:
        workload: The workload's name.
        plan: The plan.
        settings: The buckets.
        objects: S3.
        state: The state table.
    """
    planned = sorted(plan["days"])
    first = (date.fromisoformat(planned[0]) - timedelta(days=RECENT_WINDOW_DAYS)).isoformat()
    document: RecentDocument = {
        "workload": workload,
        "days": {
            day: s3_uri(settings.lake_bucket, layout.statistics_key(workload, item["run"], date.fromisoformat(day)))
            for day, item in sorted(state.query(layout.day_partition_key(workload)).items())
            if first <= day < planned[-1] and item.get("status") == "published"
        },
    }
    key = layout.recent_days_key(workload, digest(document))
    objects.put(settings.artifact_bucket, key, canonical_json(document))
    return {**plan, "recent": s3_uri(settings.artifact_bucket, key), "recent_key": digest(document)[:8]}
