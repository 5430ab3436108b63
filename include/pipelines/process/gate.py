"""The gate between audit and publish. It fails closed: a day passes only if the audit's result says so explicitly."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from include.errors import RefusedError
from include.lake import layout
from include.lake.uris import s3_uri
from include.pipelines.process.days import day_origin
from include.pipelines.process.types import DayItem, GateResult, ProcessPlan
from include.pipelines.protocols import ObjectStore, StateStore

log = logging.getLogger(__name__)


class EvaluatedDays(NamedTuple):
    """Days that may be published, and day → reason for the others."""

    passed: list[str]
    refused: dict[str, str]


def evaluate_gate(audit: Any, days: Sequence[str]) -> EvaluatedDays:
    """Evaluates each day by the audit's document.

    Args:
        audit: The document (``include.glue.audit``), of any form; None if it does not exist.
        days: ISO dates.
    """
    reasons = {day: _reason(audit, day) for day in days}
    return EvaluatedDays(
        [day for day in days if not reasons[day]], {day: reason for day, reason in reasons.items() if reason}
    )


def gate_days(
    workload: str, plan: ProcessPlan, run: str, bucket: str, *, objects: ObjectStore, state: StateStore
) -> GateResult:
    """Evaluates each planned day by the audit's result and marks the refused days in the state table.

    Args:
        workload: The workload's name.
        plan: The plan that the transform carried out.
        run: The transform run that was audited (its submit key).
        bucket: The lake bucket.
        objects: The lake.
        state: The state table.

    Raises:
        RefusedError: No day passed.
    """
    key = layout.audit_key(workload, run)
    try:
        audit = objects.get_json(bucket, key)
    except ValueError as error:
        audit = str(error)
    evaluation = evaluate_gate(audit, list(plan["days"]))
    for day, reason in evaluation.refused.items():
        item: DayItem = {**day_origin(plan, day, run), "status": "refused", "reason": reason}
        if state.advance(*layout.day_key(workload, date.fromisoformat(day)), item, "planned_at"):
            log.error("%s is refused: %s", day, reason)
        else:
            log.error("%s is refused (%s); a newer run has set its status already, which is kept", day, reason)
    if not evaluation.passed:
        raise RefusedError(_refusal_text(evaluation.refused, s3_uri(bucket, key)))
    return {"run": run, "passed": evaluation.passed, "refused": evaluation.refused}


def require_no_refused_day(gate: GateResult) -> None:
    """Ends a run in which some days were published and others refused.

    Raises:
        RefusedError: The gate refused a day.
    """
    if gate["refused"]:
        raise RefusedError(_refusal_text(gate["refused"], f"run {gate['run']}"))


def _reason(audit: Any, day: str) -> str:
    """Why this day is refused; empty if it passes."""
    if audit is None:
        return "the audit wrote no result"
    if not isinstance(audit, Mapping) or not isinstance(audit.get("days"), Mapping):
        return "the audit's result is unreadable: it has no days"
    result = audit["days"].get(day)
    if not isinstance(result, Mapping):
        return "the audit's result does not contain this day"
    failures = result.get("critical_failures")
    if not isinstance(failures, list):
        return "the audit's result is unreadable: critical_failures is not a list"
    if failures:
        return "critical expectations failed: " + "; ".join(map(str, failures))
    if result.get("success") is not True:
        return f"the audit did not succeed: success is {result.get('success')!r}"
    return ""


def _refusal_text(refused: Mapping[str, str], source: str) -> str:
    lines = [f"  {day}: {reason}" for day, reason in refused.items()]
    advice = (
        "Look at the Data Docs and the quarantine; have the data or the expectations corrected; run the days again."
    )
    return "\n".join([f"{len(refused)} of the days are not published ({source}):", *lines, advice])
