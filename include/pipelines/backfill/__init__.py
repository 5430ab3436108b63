"""A backfill: plan a date range, process it in chunks, retrain over it, report."""

from __future__ import annotations

from include.pipelines.backfill.documents import backfill_name, read_plan, store_plan, store_report
from include.pipelines.backfill.plan import PlanContext, plan_backfill
from include.pipelines.backfill.report import make_report, require_nothing_failed
from include.pipelines.backfill.request import RETRAIN_EVERY, BackfillRequest, parse_request
from include.pipelines.backfill.types import PlannedBackfill, TriggeredRun

__all__ = [
    "RETRAIN_EVERY",
    "BackfillRequest",
    "PlanContext",
    "PlannedBackfill",
    "TriggeredRun",
    "backfill_name",
    "make_report",
    "parse_request",
    "plan_backfill",
    "read_plan",
    "require_nothing_failed",
    "store_plan",
    "store_report",
]
