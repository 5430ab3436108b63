"""The plan of a monitor run: its windows, the live version's baseline, and the two queries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from include.errors import NothingToDoError
from include.lake import layout, state_keys
from include.lake.days import day_range, parse_day
from include.lake.fingerprint import digest, submit_key
from include.lake.instants import format_instant
from include.lake.uris import split_s3_uri
from include.model.baseline import Baseline
from include.pipelines.deploy.live_log import newest_entry
from include.pipelines.monitor.bundle_baseline import parse_baseline, read_baseline
from include.pipelines.monitor.types import MonitorPlan
from include.pipelines.promotion.packages import Package, read_packages
from include.pipelines.promotion.registry import ModelRegistry
from include.pipelines.protocols import ObjectStore, StateStore
from include.settings import Settings
from include.sql import LogWindow, lake_counts, log_counts
from include.workloads import Workload

LABEL_DAYS = 31  # published days in which labels and rows of logged predictions are looked for


@dataclass(frozen=True)
class MonitorHooks:
    """The AWS hooks that the run's functions take."""

    objects: ObjectStore
    state: StateStore
    registry: ModelRegistry


@dataclass(frozen=True)
class MonitorRequest:
    """What a run is asked to look at.

    Attributes:
        end: The window of the prediction log ends here.
        hours: Its length.
        period_days: Days of predictions that are joined with labels.
        newest_day: The newest published day that is looked at; None: the newest there is.
    """

    end: datetime
    hours: int
    period_days: int
    newest_day: date | None = None

    @classmethod
    def of(cls, end: datetime, params: Mapping[str, Any]) -> MonitorRequest:
        """Reads the Params of a run.

        Raises:
            UserError: ``date`` is no day.
        """
        day = parse_day(params["date"]) if params.get("date") else None
        return cls(end, int(params["hours"]), int(params["period_days"]), day)


def plan_monitor(
    workload: Workload, request: MonitorRequest, settings: Settings, code_sha: str, hooks: MonitorHooks
) -> MonitorPlan:
    """Plans a run.

    Raises:
        NothingToDoError: No version is live, or no day is published.
        LiveStateError: The record of what is live is lost or altered.
        RefusedError: The live bundle was altered.
    """
    name, database = workload.name, settings.glue_database
    live = newest_entry(name, hooks.state)["version"]
    if live is None:
        raise NothingToDoError(f"No version of {name} is live: there is nothing to compare with.")
    package = next((found for found in read_packages(hooks.registry.described()) if found.version == live), None)
    if package is None:
        raise NothingToDoError(f"The registry of {name} has no version {live}, which is live. Deploy another version.")
    published = published_days(workload, request.newest_day, hooks.state)
    if not published:
        raise NothingToDoError(f"No day of {name} is published: there is nothing to compare.")
    key, sha256, baseline = _baseline(name, package, settings.artifact_bucket, hooks.objects)
    days = [date.fromisoformat(day) for day in [*published][-(baseline["block_days"] if baseline else 1) :]]
    start, period = request.end - timedelta(hours=request.hours), request.end - timedelta(days=request.period_days)
    window = LogWindow(start, request.end, min(start, period), live)
    joined = day_range(days[-1] - timedelta(days=LABEL_DAYS - 1), days[-1])
    lake = lake_counts(workload, database, days, baseline)
    log = log_counts(workload, database, joined, baseline, window)

    def query_key(stage: str, query: str, read: Sequence[date]) -> str:
        runs = digest({str(day): published[str(day)]["run"] for day in read if str(day) in published})
        return submit_key(
            stage=stage, workload=name, days=[*map(str, read)], inputs=runs, parameters=query, code_sha=code_sha
        )

    return {
        "window_start": format_instant(window.start),
        "window_end": format_instant(window.end),
        "period_start": format_instant(window.period_start),
        "days": [*map(str, days)],
        "version": live,
        "model_cutoff": package.metadata["data_cutoff"],
        "data_clock": (hooks.state.get(*state_keys.watermark_key(name, workload.stream.name)) or {}).get(
            "watermark", ""
        ),
        "baseline_key": key,
        "baseline_sha256": sha256,
        "lake_query": lake,
        "lake_key": query_key("monitor-lake", lake, days),
        "log_query": log,
        "log_key": query_key("monitor-log", log, joined),
    }


def published_days(workload: Workload, newest: date | None, state: StateStore) -> dict[str, dict[str, Any]]:
    """Returns the state items of the published days up to a day, in order."""
    items = sorted(state.query(state_keys.day_partition_key(workload.name)).items())
    last = str(newest) if newest else "9999"
    return {day: item for day, item in items if item.get("status") == "published" and day <= last}


def load_baseline(plan: MonitorPlan, bucket: str, objects: ObjectStore) -> Baseline | None:
    """Reads the baseline that the plan names; None if there is none."""
    if not plan["baseline_key"]:
        return None
    return parse_baseline(objects.open(bucket, plan["baseline_key"]).read(), plan["baseline_sha256"])


def _baseline(workload: str, package: Package, bucket: str, objects: ObjectStore) -> tuple[str, str, Baseline | None]:
    """Copies the live bundle's baseline to where later tasks read it: its key, sha256 and content, or nothing."""
    place, key = split_s3_uri(package.metadata["bundle_uri"])
    data = read_baseline(objects.open(place, key), package.metadata["bundle_digest"])
    if data is None:
        return "", "", None
    sha256 = hashlib.sha256(data).hexdigest()
    copy = layout.monitor_baseline_key(workload, sha256)
    objects.put_once(bucket, copy, data)
    return copy, sha256, parse_baseline(data, sha256)
