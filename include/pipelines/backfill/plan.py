"""The plan of a backfill: which days it processes, in which chunks, which retrains follow, and what that will take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from include.lake import days as calendar
from include.lake import state_keys
from include.lake.fingerprint import digest
from include.lake.instants import format_instant
from include.pipelines.backfill.estimate import estimate
from include.pipelines.backfill.request import BackfillRequest, retrain_days
from include.pipelines.backfill.types import BackfillDays, BackfillPlan, Chunk, RetrainStep
from include.pipelines.cost.budget import budget_left
from include.pipelines.ingest.complete import watermark_status
from include.pipelines.measurements import newest
from include.pipelines.process.plan import day_fingerprints, processing_code, require_snapshots
from include.pipelines.protocols import ObjectStore, StateStore
from include.pipelines.raw_inputs import RawInputs, workload_inputs
from include.pipelines.retrain.plan import window
from include.pipelines.training_image import training_image
from include.settings import Settings
from include.workloads import Workload

JOBS_OF_CHUNK, JOBS_OF_RETRAIN = 2, 4
_ID_DIGITS = 10

Succeeded = Callable[[str, str], bool]
"""Whether a run of a DAG (its id, the run's id) exists and has succeeded."""
Items = Mapping[str, Mapping[str, Any]]
"""Day → its item in the state table."""


@dataclass(frozen=True)
class PlanContext:
    """What a plan is made with.

    Attributes:
        workload: The workload.
        settings: The DAGs' settings.
        objects: S3.
        state: The state table.
        succeeded: Asks Airflow for a run.
        present: The present, read before this module lists raw objects.
        code_sha: The build that runs.
        process_code: Hash of the shared code and the libraries of transform and audit.
    """

    workload: Workload
    settings: Settings
    objects: ObjectStore
    state: StateStore
    succeeded: Succeeded
    present: datetime
    code_sha: str
    process_code: str


def plan_backfill(request: BackfillRequest, backfill: str, context: PlanContext) -> BackfillPlan:
    """Makes the plan; writes nothing.

    Args:
        request: What is asked for.
        backfill: Name of the folder of the backfill's documents.
        context: What the plan is made with.

    Raises:
        RefusedError: A reference table has no snapshot in raw, or none after its initial load.
    """
    workload, settings, state = context.workload, context.settings, context.state
    require_snapshots(workload, state)
    asked = calendar.day_range(date.fromisoformat(request["first"]), date.fromisoformat(request["last"]))
    inputs = workload_inputs(workload, asked, buckets=settings.data_buckets, objects=context.objects)
    fingerprints = day_fingerprints(workload, inputs, processing_code(workload, context.process_code), settings)
    items = state.query(state_keys.day_partition_key(workload.name))
    days = _sort_days(workload, [str(day) for day in asked], fingerprints, items, state)
    wanted = {day: fingerprints[day] for day in days["to_process"]}
    chunks = _chunks(asked[0], request["chunk_days"], wanted, items, inputs)
    retrains, done, left_out = _retrains(request, days, wanted, items, context)
    return {
        "workload": workload.name,
        "backfill": backfill,
        "request": request,
        "planned_at": format_instant(context.present),
        "code_sha": context.code_sha,
        "days": days,
        "fingerprints": wanted,
        "chunks": chunks,
        "retrains": retrains,
        "retrains_done": done,
        "retrains_left_out": left_out,
        "jobs": JOBS_OF_CHUNK * len(chunks) + JOBS_OF_RETRAIN * len(retrains),
        "rows": sum(chunk["rows"] for chunk in chunks),
        "bytes": sum(chunk["bytes"] for chunk in chunks),
        "estimate": estimate(
            [chunk["rows"] for chunk in chunks],
            len(retrains),
            newest(workload.name, "process", state),
            newest(workload.name, "retrain", state),
            concurrency=request["concurrency"],
            poll_seconds=settings.poll_seconds,
        ),
        "budget": budget_left(workload, state, context.present),
    }


def _sort_days(
    workload: Workload, asked: Iterable[str], fingerprints: Mapping[str, str], items: Items, state: StateStore
) -> BackfillDays:
    """Sorts the days by what is to be done with them."""
    keys = [state_keys.watermark_key(workload.name, source) for source in (workload.stream.name, *workload.tables)]
    watermarks = {key: state.get(*key) for key in keys}
    found: BackfillDays = {"to_process": [], "published": [], "refused": [], "no_raw": [], "incomplete": []}
    for day in asked:
        item = items.get(day, {})
        if day not in fingerprints:
            found["no_raw"].append(day)
        elif item.get("fingerprint") == fingerprints[day]:
            found["published" if item["status"] == "published" else "refused"].append(day)
        elif watermark_status(watermarks, at_least=format_instant(calendar.cutoff(date.fromisoformat(day)))) is None:
            found["incomplete"].append(day)
        else:
            found["to_process"].append(day)
    return found


def _chunks(first: date, chunk_days: int, wanted: Mapping[str, str], items: Items, inputs: RawInputs) -> list[Chunk]:
    """Cuts the range into chunks, counted from its first day, so that a second backfill of it cuts at the same days."""
    groups: dict[int, list[str]] = {}
    for day in wanted:
        groups.setdefault((date.fromisoformat(day) - first).days // chunk_days, []).append(day)
    chunks: list[Chunk] = []
    for days in groups.values():
        size = inputs.size(days)
        # What is there now is part of the id: a day that was refused, or published otherwise in between, is new work.
        replaced = {day: items.get(day, {}).get("planned_at", "") for day in days}
        work = {"days": {day: wanted[day] for day in days}, "replaced": replaced}
        conf = {"date": days[0]} | ({"end_date": days[-1]} if len(days) > 1 else {})
        name = f"chunk-{days[0]}-{days[-1]}-{digest(work)[:_ID_DIGITS]}"
        chunks.append({"run_id": name, "conf": conf, "days": days, "rows": size.rows, "bytes": size.bytes})
    return chunks


def _retrains(
    request: BackfillRequest, days: BackfillDays, wanted: Mapping[str, str], items: Items, context: PlanContext
) -> tuple[list[RetrainStep], list[str], list[str]]:
    """The retrain runs to come, in order; the days that an earlier backfill has retrained for; those without data."""
    workload, possible = context.workload, {*days["published"], *days["to_process"]}
    published = {day: item["fingerprint"] for day, item in items.items() if item.get("status") == "published"}
    made_of = {**published, **wanted}
    earliest = min(made_of, default="")
    steps: list[RetrainStep] = []
    done, left_out = [], []
    for day in retrain_days(request):
        days_read = [str(one) for one in window(workload, calendar.cutoff(day))]
        if str(day) not in possible or days_read[0] < earliest:  # a data set without its first days is not the day's
            left_out.append(str(day))
            continue
        read = {one: made_of.get(one) for one in days_read}
        work = {"window": read, "code": context.code_sha, "image": training_image(workload, context.settings)}
        run_id = f"retrain-{day}-{digest(work)[:_ID_DIGITS]}"
        if context.succeeded(f"{workload.name}_retrain", run_id):
            done.append(str(day))
        else:
            steps.append({"run_id": run_id, "conf": {"date": str(day), "backfilled": True}, "day": str(day)})
    return steps, done, left_out
