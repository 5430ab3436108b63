"""A workload's expectations of one day of one event type: what is found, in words.

Great Expectations evaluates those on columns (:mod:`include.glue.range_validation`); row counts, quarantine and
conflicting versions are checked here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from great_expectations.core import ExpectationSuite, ExpectationValidationResult
from great_expectations.exceptions import GreatExpectationsError
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.registry import get_expectation_impl

from include.glue.day_rows import DayRows
from include.glue.errors import GlueJobError
from include.glue.findings import Finding
from include.workloads.expectations import ExpectationSpec, SuiteSpec

if TYPE_CHECKING:
    from include.glue.report import EventCounts

# They are about nulls, so that a column of nulls is evidence.
_ABOUT_NULLS = ("expect_column_values_to_be_null", "expect_column_values_to_not_be_null")
_NAMED_REASONS = 3


def audit_columns(
    event_type: str, suite: SuiteSpec, rows: DayRows, results: Sequence[ExpectationValidationResult]
) -> list[Finding]:
    """Returns which expectations of a day's columns are not met.

    Args:
        event_type: The event type.
        suite: What the workload expects.
        rows: The day's rows.
        results: The result of each expectation (:class:`include.glue.range_validation.RangeValidation`).
    """
    findings = (_finding(spec, result, rows) for spec, result in zip(suite.expectations, results, strict=True))
    return [
        Finding(found.severity, f"{event_type}.{found.name}", f"{event_type}: {found.text}")
        for found in findings
        if found is not None
    ]


def observations(suite: SuiteSpec, results: Sequence[ExpectationValidationResult]) -> list[tuple[str, str, str]]:
    """Returns the name of each expectation on columns, whether a day meets it, and the share or number observed."""
    return [
        (_name(spec), "yes" if result.success else "no", _number(spec, result))
        for spec, result in zip(suite.expectations, results, strict=True)
    ]


def _number(spec: ExpectationSpec, result: ExpectationValidationResult) -> str:
    """What was observed; empty for anything but numbers, because it may be values of rows."""
    is_share = result.result.get("unexpected_percent") is not None
    return _seen(spec, result) if is_share or isinstance(result.result.get("observed_value"), int | float) else ""


def audit_rows(
    event_type: str, suite: SuiteSpec, rows: DayRows, counts: EventCounts | None, reasons: Mapping[str, int]
) -> list[Finding]:
    """Checks the number of a day's rows, how many were quarantined, and conflicting versions.

    Args:
        event_type: The event type.
        suite: What the workload expects.
        rows: The day's rows.
        counts: What the transform's report has of this day and event type.
        reasons: Why rows were quarantined → number of rows.
    """
    found = [*_counts(suite, rows.rows, counts, reasons), *(_conflicts(suite, rows) if rows.rows else [])]
    return [Finding(severity, f"{event_type}.{name}", f"{event_type}: {text}") for severity, name, text in found]


def gx_suite(event_type: str, suite: SuiteSpec) -> ExpectationSuite:
    """Makes Great Expectations' suite of an event type.

    Raises:
        GlueJobError: GX does not know an expectation, or refuses its arguments.
    """
    expectations = []
    for spec in suite.expectations:
        try:
            implementation = get_expectation_impl(spec.type)
            severity = FailureSeverity(spec.severity)
            expectation = implementation(**spec.arguments, severity=severity)
        except (GreatExpectationsError, ValueError, TypeError) as error:
            raise GlueJobError(
                f"expectations of {event_type}: Great Expectations cannot make {spec.type}: {error}"
            ) from error
        expectations.append(expectation)
    return ExpectationSuite(name=event_type, expectations=expectations)


def _counts(suite: SuiteSpec, rows: int, counts: EventCounts | None, reasons: Mapping[str, int]) -> list[Finding]:
    found = []
    if rows == 0:
        found.append(Finding("critical", "rows", "no rows"))
    elif rows < suite.rows.min or (suite.rows.max is not None and rows > suite.rows.max):
        upper = "any number" if suite.rows.max is None else suite.rows.max
        found.append(Finding(suite.rows.severity, "rows", f"{rows} rows, expected {suite.rows.min} to {upper}"))
    if counts is None:
        return [*found, Finding("critical", "report", "the transform's report does not have this day")]
    if counts["written"] != rows:
        text = f"{rows} rows were found, but the transform's report has {counts['written']}"
        found.append(Finding("critical", "report", text))
    share = counts["quarantined"] / counts["read"] if counts["read"] else 0.0
    if share > suite.quarantine:
        text = f"{counts['quarantined']} of {counts['read']} rows quarantined ({share:.1%})"
        found.append(
            Finding("critical", "quarantine", f"{text}, allowed are {suite.quarantine:.1%}{_most_frequent(reasons)}")
        )
    return found


def _most_frequent(reasons: Mapping[str, int]) -> str:
    """`` because of <reason> (<n> rows), …``; empty without reasons."""
    named = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:_NAMED_REASONS]
    return " because of " + ", ".join(f"{reason} ({rows} rows)" for reason, rows in named) if named else ""


def _conflicts(suite: SuiteSpec, rows: DayRows) -> list[Finding]:
    """Rows that repeat the columns that identify a version: both are kept, and a fixed order decides which one counts.

    Raw is write-once, so a strict rule could refuse a day for ever because of one row.
    """
    identity, columns = ", ".join(suite.unique), list(suite.unique)
    missing = [column for column in columns if column not in rows.names]
    if missing:
        return [Finding("critical", "conflicts", f"the column {', '.join(missing)} is missing")]
    repeated = rows.repeated(columns)
    if not repeated:
        return []
    share = repeated / rows.rows
    severity = "critical" if repeated > 1 and share > suite.conflicts else "warning"
    text = f"{repeated} rows ({share:.1%}) have the same {identity} as another row, allowed are {suite.conflicts:.1%}"
    return [Finding(severity, "conflicts", text)]


def _name(expectation: ExpectationSpec) -> str:
    return f"{expectation.type}({', '.join(map(str, expectation.columns))})"


def _finding(expectation: ExpectationSpec, result: ExpectationValidationResult, rows: DayRows) -> Finding | None:
    name = _name(expectation)
    error = _exception(result.exception_info or {})
    if error:
        return Finding("critical", name, f"{name}: could not be evaluated: {error}")
    empty = [column for column in expectation.columns if column in rows.names and rows.all_null(column)]
    if empty and expectation.type not in _ABOUT_NULLS:
        text = f"{name}: says nothing, because all {rows.rows} values of {', '.join(empty)} are null"
        return Finding(expectation.severity, name, text)
    if result.success:
        return None
    return Finding(expectation.severity, name, f"{name}: {_seen(expectation, result)}")


def _exception(info: Mapping[str, Any]) -> str | None:
    """Returns the first exception; GX reports one, or one for each metric."""
    entries = [info] if "raised_exception" in info else [entry for entry in info.values() if isinstance(entry, Mapping)]
    texts = [str(entry.get("exception_message")) for entry in entries if entry.get("raised_exception")]
    return texts[0] if texts else None


def _seen(expectation: ExpectationSpec, validated: ExpectationValidationResult) -> str:
    result, arguments = validated.result, expectation.arguments
    if result.get("unexpected_percent") is not None:
        allowed = 100 * (1 - arguments.get("mostly", 1.0))
        return f"{result['unexpected_percent']:.1f} % unexpected, allowed are {allowed:.1f} %"
    expected = ", ".join(f"{name} {value}" for name, value in arguments.items() if name != "column")
    if result.get("observed_value") is None and result.get("unexpected_count"):
        return f"{result['unexpected_count']} unexpected values, expected {expected}"
    return f"observed {result.get('observed_value')}, expected {expected}"
