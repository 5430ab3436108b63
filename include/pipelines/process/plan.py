"""What a process run has to do: which days have raw data that is not published, and from which objects."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from include.errors import NothingToDoError, RefusedError
from include.lake import layout, state_keys
from include.lake.days import cutoff
from include.lake.fingerprint import (
    InputsDocument,
    canonical_json,
    day_fingerprint,
    digest,
    inputs_document,
    submit_key,
)
from include.lake.instants import format_instant, parse_instant
from include.lake.uris import s3_uri
from include.pipelines.process.days import record_empty_days
from include.pipelines.process.dry_run import describe_dry_run
from include.pipelines.process.types import ProcessPlan
from include.pipelines.protocols import ObjectStore, StateStore
from include.pipelines.raw_inputs import RawInputs, workload_inputs
from include.settings import Settings
from include.workloads import Workload

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlanRequest:
    """What a run is asked to process."""

    days: Sequence[date]
    """In order."""
    planned_at: datetime
    """The present, read before this module lists raw objects."""
    code_sha: str
    """The build that runs."""
    process_code: str
    """Hash of the shared code and the libraries of transform and audit (``include.build.process_code``)."""
    fresh: bool = False
    """Also plan days that were published from the same inputs and code."""
    dry_run: bool = False
    """Only report the plan."""


def plan_days(
    workload: Workload, request: PlanRequest, settings: Settings, *, objects: ObjectStore, state: StateStore
) -> ProcessPlan:
    """Lists the raw objects of the days and writes the transform's inputs document, named after its digest.

    Raises:
        NothingToDoError: There is no raw data, all days are published from the same inputs and code, or it is a dry
            run.
        RefusedError: A reference table has no snapshot in raw, or none after its initial load.
    """
    require_snapshots(workload, state)
    inputs = workload_inputs(workload, request.days, buckets=settings.data_buckets, objects=objects)
    planned_at = format_instant(request.planned_at)
    if not request.dry_run:
        empty = [day for day in request.days if day.isoformat() not in inputs.days]
        record_empty_days(workload.name, empty, planned_at, request.code_sha, state)
    code = processing_code(workload, request.process_code)
    days = _days_to_process(workload, inputs, code, request, settings, state)
    size = inputs.size(days)
    document = _document(workload, inputs, days, settings)
    key = layout.inputs_key(workload.name, digest(document))
    plan: ProcessPlan = {
        "days": days,
        "days_text": ",".join(days),
        "inputs": s3_uri(settings.artifact_bucket, key),
        "submit_key": submit_key(
            stage="transform",
            workload=workload.name,
            days=list(days),
            inputs=digest(document),
            job=settings.glue_transform_job,
            code=code,
        ),
        "planned_at": planned_at,
        "code_sha": request.code_sha,
        "rows": size.rows,
        "bytes": size.bytes,
    }
    if request.dry_run:
        raise NothingToDoError(describe_dry_run(workload, request.days, days, len(document["stream_objects"]), state))
    objects.put(settings.artifact_bucket, key, canonical_json(document))
    return plan


def _days_to_process(
    workload: Workload, inputs: RawInputs, code: str, request: PlanRequest, settings: Settings, state: StateStore
) -> dict[str, str]:
    """Day → fingerprint, of the days that have raw data and are not published from it with this code."""
    span = _span(request.days)
    if not inputs.days:
        raise NothingToDoError(f"No raw data for {span}: nothing to process.")
    fingerprints = day_fingerprints(workload, inputs, code, settings)
    published = {} if request.fresh else published_fingerprints(workload, state)
    days = {day: fingerprint for day, fingerprint in fingerprints.items() if published.get(day) != fingerprint}
    if not days:
        raise NothingToDoError(
            f"{span}: published from the same inputs and code. Set fresh to process and publish it again."
        )
    log.info(
        "Days to process: %s. Without raw data: %s",
        list(days),
        [str(d) for d in request.days if str(d) not in fingerprints],
    )
    return days


def require_snapshots(workload: Workload, state: StateStore) -> None:
    """Checks that every reference table is in raw, with all of its initial load.

    Raises:
        RefusedError: One is not.
    """
    items = {table: state.get(*state_keys.watermark_key(workload.name, table)) for table in workload.tables}
    if missing := [table for table, item in items.items() if item is None]:
        raise RefusedError(f"No snapshot of {', '.join(missing)} in raw. Run ingest_tables, then clear this task.")
    for table, item in items.items():
        load = workload.tables[table].initial_load
        # Rows that are loaded on the rest of that day would count in days that are processed already.
        if load and item and parse_instant(item["watermark"]) < cutoff(load):
            raise RefusedError(
                f"tables.{table}.initial_load of {workload.name} is {load}, but {table} is in raw only up to "
                f"{item['watermark']}. When that day is over, run ingest_tables, then clear this task."
            )


def _document(workload: Workload, inputs: RawInputs, days: Collection[str], settings: Settings) -> InputsDocument:
    dates = map(date.fromisoformat, days)
    return inputs_document(workload.name, dates, inputs.of(days), inputs.tables, settings.raw_bucket)


def processing_code(workload: Workload, process_code: str) -> str:
    """Returns the hash of all code, libraries and declarations that the workload's transform and audit use."""
    return digest([process_code, workload.process_hash()])


def day_fingerprints(workload: Workload, inputs: RawInputs, code: str, settings: Settings) -> dict[str, str]:
    """Returns day → the fingerprint that it has when it is published from these inputs with this code."""
    return {day: day_fingerprint(_document(workload, inputs, [day], settings), code) for day in inputs.days}


def published_fingerprints(workload: Workload, state: StateStore) -> dict[str, str]:
    """Returns day → fingerprint of the published days."""
    return {
        day: item["fingerprint"]
        for day, item in state.query(state_keys.day_partition_key(workload.name)).items()
        if item["status"] == "published"
    }


def _span(days: Sequence[date]) -> str:
    """``2013-03-01`` or ``2013-03-01 to 2013-03-07``."""
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
