"""Which published days the audit of a run compares its days with.

The list is part of the plan and of the audit's submit key. It has only days before the run's, so what is published
later changes nothing when a day is processed again.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from include.lake import layout, state_keys
from include.lake.fingerprint import canonical_json, digest
from include.lake.recent import RecentDocument
from include.lake.uris import s3_uri
from include.pipelines.markers import marker_counts
from include.pipelines.process.override import Override
from include.pipelines.process.plan import PlanRequest, plan_days
from include.pipelines.process.types import ComparedPlan
from include.pipelines.process.unprocessed import changed_days, unprocessed_events
from include.pipelines.protocols import ObjectStore, StateStore
from include.settings import Settings
from include.workloads import Workload
from include.workloads.comparison import RECENT_WINDOW_DAYS

log = logging.getLogger(__name__)


def plan_and_compare(
    workload: Workload,
    request: PlanRequest,
    override: Override | None,
    settings: Settings,
    *,
    objects: ObjectStore,
    state: StateStore,
) -> ComparedPlan:
    """Plans the days (:func:`plan_days`, whose errors it raises), and adds what they are compared with.

    Days of the late window whose events arrived after they were processed are planned too: late labels are trained on.

    Args:
        workload: The workload.
        request: What the run is asked to process.
        override: What a person overrides with this run.
        settings: The buckets.
        objects: S3.
        state: The state table.
    """
    lake = settings.lake_bucket
    stores: Any = {"objects": objects, "state": state}
    changed = changed_days(workload, [day.isoformat() for day in request.days], lake, **stores)
    if changed.late:
        log.info("Events of %s arrived after they were processed: they are processed again", changed.late)
    request = replace(request, days=sorted({*request.days, *map(date.fromisoformat, changed.late)}))
    requested = [day.isoformat() for day in request.days]
    markers = marker_counts(workload, requested, lake, objects)
    plan = plan_days(workload, request, settings, **stores)
    recent = recent_days(workload.name, sorted(plan["days"]), lake, state)
    key = layout.recent_days_key(workload.name, digest(recent))
    objects.put(settings.artifact_bucket, key, canonical_json(recent))
    return {
        **plan,
        "recent": s3_uri(settings.artifact_bucket, key),
        "recent_key": digest(recent)[:8],
        "override": override,
        "markers": {day: markers[day] for day in plan["days"]},
        "late": [day for day in changed.late if day in plan["days"]],
        "unprocessed": unprocessed_events(workload, sorted(plan["days"]), changed.earlier, lake, **stores),
    }


def recent_days(workload: str, planned: list[str], lake_bucket: str, state: StateStore) -> RecentDocument:
    """Lists the published days before the last planned one, with the URI of each day's statistics.

    Args:
        workload: The workload's name.
        planned: The planned days (ISO), in order.
        lake_bucket: The lake bucket.
        state: The state table.
    """
    first = (date.fromisoformat(planned[0]) - timedelta(days=RECENT_WINDOW_DAYS)).isoformat()
    return {
        "workload": workload,
        "days": {
            day: s3_uri(lake_bucket, layout.statistics_key(workload, item["run"], date.fromisoformat(day)))
            for day, item in sorted(state.query(state_keys.day_partition_key(workload)).items())
            if first <= day < planned[-1] and item.get("status") == "published"
        },
    }
