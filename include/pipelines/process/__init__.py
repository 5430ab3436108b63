"""A process run: choose and plan its days, transform and audit them, publish those that pass the gate."""

from __future__ import annotations

from include.pipelines.cost.ledger import JobAccounts
from include.pipelines.process import notes
from include.pipelines.process.choose_days import TO_PROCESS, TO_TRAIN_FOR, ChosenDays, DayChoice
from include.pipelines.process.days import RefusedDayError
from include.pipelines.process.evolution import require_compatible_schema
from include.pipelines.process.gate import gate_days, require_no_refused_day
from include.pipelines.process.jobs import audit_arguments, transform_arguments
from include.pipelines.process.measure import FinishedJobs, measure_run
from include.pipelines.process.override import OVERRIDE_FORM, parse_override
from include.pipelines.process.plan import PlanRequest
from include.pipelines.process.publish import publish_days
from include.pipelines.process.recent import plan_and_compare
from include.pipelines.process.types import ComparedPlan, GateResult
from include.pipelines.process.unprocessed import remember_reported
from include.pipelines.process.waits import day_wait, raw_wait

__all__ = [
    "OVERRIDE_FORM",
    "TO_PROCESS",
    "TO_TRAIN_FOR",
    "ChosenDays",
    "ComparedPlan",
    "DayChoice",
    "FinishedJobs",
    "GateResult",
    "JobAccounts",
    "PlanRequest",
    "RefusedDayError",
    "audit_arguments",
    "day_wait",
    "gate_days",
    "measure_run",
    "notes",
    "parse_override",
    "plan_and_compare",
    "publish_days",
    "raw_wait",
    "remember_reported",
    "require_compatible_schema",
    "require_no_refused_day",
    "transform_arguments",
]
