"""Publishing: the catalog's partitions of audited days are pointed at the files of the run that wrote them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date

from include.errors import NothingToDoError, RefusedError
from include.lake import layout, resources, state_keys
from include.lake.uris import s3_uri
from include.pipelines.process.days import day_origin
from include.pipelines.process.evolution import evolved_columns
from include.pipelines.process.override import Override
from include.pipelines.process.types import ComparedPlan, DayItem, GateResult
from include.pipelines.protocols import Catalog, StateStore
from include.workloads import Workload, schema
from include.workloads.schema import Columns

log = logging.getLogger(__name__)


def publish_days(
    workload: Workload,
    plan: ComparedPlan,
    run: str,
    gate: GateResult | None,
    lake_bucket: str,
    *,
    catalog: Catalog,
    state: StateStore,
) -> list[str]:
    """Publishes the days that passed the gate, then marks them published. Publishing a run twice changes nothing.

    A day on which a newer plan has published or refused is left alone, so clearing an old run replaces nothing newer.
    Run it in a pool of one slot: Glue's UpdatePartition has no compare-and-set.

    Args:
        workload: The workload.
        plan: The plan that the transform carried out.
        run: The transform run (its submit key). It must be the one that the gate evaluated.
        gate: The gate's result.
        lake_bucket: The bucket that the run wrote to.
        catalog: The Glue catalog database.
        state: The state table.

    Returns:
        The days that were published.

    Raises:
        RefusedError: The gate passed no day of this run.
        NothingToDoError: A newer run has published or refused each of the days.
    """
    if not isinstance(gate, dict) or gate.get("run") != run or not gate.get("passed"):
        raise RefusedError(f"The gate has passed no day of run {run}: nothing is published. Clear the task gate.")
    columns: dict[str, Columns] = {}
    for event in workload.events:
        table, location = resources.table_name(workload.name, event), layout.table_location(workload.name, event)
        columns[event] = evolved_columns(schema.processed_columns(workload, event), catalog.columns(table))
        catalog.ensure_table(table, columns[event], schema.PARTITION_COLUMN, s3_uri(lake_bucket, location))
    published = [
        day
        for day in gate["passed"]
        if _publish_day(workload, plan, run, day, gate["overridden"].get(day), lake_bucket, columns, catalog, state)
    ]
    if not published:
        raise NothingToDoError(f"A newer run has published or refused each of {gate['passed']}: nothing to publish.")
    return published


def _publish_day(
    workload: Workload,
    plan: ComparedPlan,
    run: str,
    day: str,
    override: Override | None,
    lake_bucket: str,
    columns: Mapping[str, Columns],
    catalog: Catalog,
    state: StateStore,
) -> bool:
    """False if a newer plan has published or refused the day."""
    origin, event_date = day_origin(plan, day, run), date.fromisoformat(day)
    key = state_keys.day_key(workload.name, event_date)
    before = state.get(*key) or {}
    if before.get("planned_at", "") > origin["planned_at"]:
        log.warning(
            "%s is not published: run %s, planned later (%s), has set its status",
            day,
            before.get("run"),
            before["planned_at"],
        )
        return False
    parameters = {name: str(value) for name, value in origin.items()}
    for event in workload.events:
        prefix = layout.partition_prefix(workload.name, run, event, event_date)
        table = resources.table_name(workload.name, event)
        catalog.point_partition(table, day, columns[event], s3_uri(lake_bucket, prefix), parameters)
    item: DayItem = {**origin, "status": "published", "markers": plan["markers"][day]}
    if override:
        item["overridden"] = override
    state.advance(*key, item, "planned_at")
    log.info("%s is published from run %s", day, run)
    return True
