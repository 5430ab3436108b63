"""The gate between audit and publish. It fails closed: a day passes only if the audit's result says so explicitly."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from include.errors import RefusedError
from include.lake import layout, state_keys
from include.lake.uris import s3_uri
from include.pipelines.process.days import day_origin
from include.pipelines.process.override import REPORT, Override, record_override, valid_override
from include.pipelines.process.types import ComparedPlan, DayItem, GateResult
from include.pipelines.protocols import ObjectStore, StateStore

log = logging.getLogger(__name__)


class EvaluatedDays(NamedTuple):
    """Days that may be published, and day → reason for the others."""

    passed: list[str]
    refused: dict[str, str]
    overridden: dict[str, Override]
    """Day → the override without which it would be refused."""


def evaluate_gate(audit: Any, days: Sequence[str], overrides: Mapping[str, Override] | None = None) -> EvaluatedDays:
    """Evaluates each day by the audit's document.

    Args:
        audit: The document (``include.glue.audit``), of any form; None if it does not exist.
        days: ISO dates.
        overrides: Day → the override that is valid for it.
    """
    passed, refused, overridden = [], {}, {}
    for day in days:
        reason, override = _reason(audit, day), (overrides or {}).get(day)
        if not reason:
            passed.append(day)
        elif override and _is_overridden(audit, day, override):
            passed.append(day)
            overridden[day] = override
        else:
            refused[day] = reason
    return EvaluatedDays(passed, refused, overridden)


def gate_days(
    workload: str, plan: ComparedPlan, run: str, bucket: str, *, objects: ObjectStore, state: StateStore
) -> GateResult:
    """Evaluates each planned day by the audit's result and marks the refused days in the state table.

    Args:
        workload: The workload's name.
        plan: The plan that the transform carried out. Its override is recorded for every day of it.
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
    evaluation = evaluate_gate(audit, list(plan["days"]), _overrides(workload, plan, state))
    for day, reason in evaluation.refused.items():
        origin = day_origin(plan, day, run)
        item: DayItem = {**origin, "status": "refused", "reason": reason, "markers": plan["markers"][day]}
        if state.advance(*state_keys.day_key(workload, date.fromisoformat(day)), item, "planned_at"):
            log.error("%s is refused: %s", day, reason)
        else:
            log.error("%s is refused (%s); a newer run has set its status already, which is kept", day, reason)
    warnings = [*day_warnings(audit, evaluation), *plan["unprocessed"]["lines"]]
    for warning in warnings:
        log.warning(warning)
    if not evaluation.passed:
        raise RefusedError(_refusal_text(evaluation.refused, s3_uri(bucket, key)))
    return {
        "run": run,
        "passed": evaluation.passed,
        "refused": evaluation.refused,
        "warnings": warnings,
        "overridden": evaluation.overridden,
    }


def day_warnings(audit: Any, evaluation: EvaluatedDays) -> list[str]:
    """Returns what a person should look at on the days that passed."""
    lines = []
    for day in evaluation.passed:
        if override := evaluation.overridden.get(day):
            by = override.get("by", "unknown")
            names, until = ", ".join(override["expectations"]), override["expires"]
            lines.append(f"{day}: passed by an override of {names} (by {by}, until {until}): {override['reason']}")
            lines += [f"{day}: overridden: {text}" for text in audit["days"][day]["critical_failures"]]
        lines += [f"{day}: {text}" for text in audit["days"][day].get("warnings") or ()]
    return lines


def require_no_refused_day(gate: GateResult) -> None:
    """Ends a run in which some days were published and others refused.

    Raises:
        RefusedError: The gate refused a day.
    """
    if gate["refused"]:
        raise RefusedError(_refusal_text(gate["refused"], f"run {gate['run']}"))


def _overrides(workload: str, plan: ComparedPlan, state: StateStore) -> dict[str, Override]:
    """Records the plan's override, and returns those that are valid: a recorded one counts for later runs too."""
    if plan["override"]:
        for day in plan["days"]:
            record_override(workload, day, plan["override"], state)
    found = {day: valid_override(workload, day, plan["planned_at"], state) for day in plan["days"]}
    return {day: override for day, override in found.items() if override}


def _is_overridden(audit: Any, day: str, override: Override) -> bool:
    """Whether the override names every critical finding of a day, and the audit is readable."""
    result = audit["days"].get(day) if isinstance(audit, Mapping) and isinstance(audit.get("days"), Mapping) else None
    if not isinstance(result, Mapping):
        return False
    names = _critical_names(result)
    complete = len(names) == len(result.get("critical_failures") or ()) > 0
    return complete and all(name in override["expectations"] and not name.endswith(REPORT) for name in names)


def _critical_names(result: Mapping[str, Any]) -> list[str]:
    """The names of a day's critical findings; an audit of an older release has none."""
    return [finding["name"] for finding in result.get("findings") or () if finding["severity"] == "critical"]


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
        names = ", ".join(_critical_names(result))
        return "critical expectations failed: " + "; ".join(map(str, failures)) + (f" [{names}]" if names else "")
    if result.get("success") is not True:
        return f"the audit did not succeed: success is {result.get('success')!r}"
    return ""


def _refusal_text(refused: Mapping[str, str], source: str) -> str:
    lines = [f"  {day}: {reason}" for day, reason in refused.items()]
    advice = (
        "Look at the day's page (make reports) and the quarantine; have the data or the expectations corrected; run "
        "the days again. If raw can never meet an expectation, run them with the Param override."
    )
    return "\n".join([f"{len(refused)} of the days are not published ({source}):", *lines, advice])
