"""Evaluates a workload's expectations of one day of one event type.

Great Expectations evaluates those on columns; row counts, quarantine and conflicting versions are checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any

import great_expectations as gx
import pandas as pd
from great_expectations.core import ExpectationSuite, ExpectationValidationResult
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.exceptions import GreatExpectationsError
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.registry import get_expectation_impl

from include.glue.errors import GlueJobError
from include.glue.findings import Finding
from include.workloads import Workload
from include.workloads.expectations import ExpectationSpec, SuiteSpec

if TYPE_CHECKING:
    from include.glue.report import EventCounts

# Key of an expectation's metadata: its index in the workload's suite.
_INDEX = "index"
# Counts and shares, but no values of rows: those of events are anybody's text.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
# They are about nulls, so that a column of nulls is evidence.
_ABOUT_NULLS = ("expect_column_values_to_be_null", "expect_column_values_to_not_be_null")
_NAMED_REASONS = 3


class Auditor:
    """Audits with one GX context, so that the Data Docs show all audited days.

    Args:
        workload: The workload.
    """

    def __init__(self, workload: Workload) -> None:
        self.context = gx.get_context(mode="ephemeral")
        self.context.variables.progress_bars = ProgressBarsConfig(globally=False)
        self._source = self.context.data_sources.add_pandas(name=workload.name)
        self._suites = workload.suites
        self._gx_suites: dict[str, ExpectationSuite] = {}

    def audit(
        self,
        event_type: str,
        day: date,
        frame: pd.DataFrame,
        counts: EventCounts | None,
        reasons: Mapping[str, int] | None = None,
    ) -> list[Finding]:
        """Audits one day of one event type.

        Args:
            event_type: The event type.
            day: The day.
            frame: The day's rows, with the columns of ``processed_columns``.
            counts: What the transform's report has of this day and event type.
            reasons: Why rows were quarantined → number of rows.

        Returns:
            What is not as expected.
        """
        suite = self._suites[event_type]
        found = [*_counts(suite, len(frame), counts, reasons or {})]
        if len(frame):
            found += [*_conflicts(suite, frame), *self._columns(event_type, suite, day, frame)]
        return [Finding(severity, f"{event_type}.{name}", f"{event_type}: {text}") for severity, name, text in found]

    def _columns(self, event_type: str, suite: SuiteSpec, day: date, frame: pd.DataFrame) -> list[Finding]:
        if not suite.expectations:
            return []
        if event_type not in self._gx_suites:
            self._source.add_dataframe_asset(name=event_type)
            self._gx_suites[event_type] = self.context.suites.add(gx_suite(event_type, suite))
        batch = self._source.get_asset(event_type).add_batch_definition_whole_dataframe(f"{event_type} {day}")
        definition = gx.ValidationDefinition(name=f"{event_type} {day}", data=batch, suite=self._gx_suites[event_type])
        definition = self.context.validation_definitions.add(definition)
        outcome = definition.run(batch_parameters={"dataframe": frame}, result_format=_RESULT_FORMAT)
        results = {_index(result): result for result in outcome.results}
        findings = (_finding(spec, results.get(index), frame) for index, spec in enumerate(suite.expectations))
        found = [finding for finding in findings if finding is not None]
        self._escape_results()
        return found

    def _escape_results(self) -> None:
        """Escapes what the stored results quote; GX's pages put texts into the markup as they are."""
        store = self.context.validation_results_store
        for key in store.list_keys():
            stored = store.get(key)
            for result in stored.results if stored else ():
                if "unexpected_percent" not in result.result:
                    result.result.pop("unexpected_count", None)  # GX's pages show the two together, or fail
                result.result = _escaped(result.result)
                result.exception_info = _escaped(result.exception_info or {})
            store.update(key, stored)


def gx_suite(event_type: str, suite: SuiteSpec) -> ExpectationSuite:
    """Makes Great Expectations' suite of an event type.

    Raises:
        GlueJobError: GX does not know an expectation, or refuses its arguments.
    """
    expectations = []
    for index, spec in enumerate(suite.expectations):
        try:
            implementation = get_expectation_impl(spec.type)
            severity = FailureSeverity(spec.severity)
            expectation = implementation(**spec.arguments, severity=severity, meta={_INDEX: index})
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


def _conflicts(suite: SuiteSpec, frame: pd.DataFrame) -> list[Finding]:
    """Rows that repeat the columns that identify a version: both are kept, and a fixed order decides which one counts.

    Raw is write-once, so a strict rule could refuse a day for ever because of one row.
    """
    identity, columns = ", ".join(suite.unique), list(suite.unique)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        return [Finding("critical", "conflicts", f"the column {', '.join(missing)} is missing")]
    repeated = int(frame.duplicated(columns).sum())
    if not repeated:
        return []
    share = repeated / len(frame)
    severity = "critical" if repeated > 1 and share > suite.conflicts else "warning"
    text = f"{repeated} rows ({share:.1%}) have the same {identity} as another row, allowed are {suite.conflicts:.1%}"
    return [Finding(severity, "conflicts", text)]


def _index(result: ExpectationValidationResult) -> int | None:
    """Returns the index of the result's expectation in the workload's suite."""
    config = result.expectation_config
    return config.meta[_INDEX] if config and config.meta else None


def _finding(
    expectation: ExpectationSpec, result: ExpectationValidationResult | None, frame: pd.DataFrame
) -> Finding | None:
    name = f"{expectation.type}({', '.join(map(str, expectation.columns))})"
    if result is None:
        return Finding("critical", name, f"{name}: Great Expectations returned no result")
    error = _exception(result.exception_info or {})
    if error:
        return Finding("critical", name, f"{name}: could not be evaluated: {error}")
    empty = [column for column in expectation.columns if column in frame.columns and frame[column].isna().all()]
    if empty and expectation.type not in _ABOUT_NULLS:
        text = f"{name}: says nothing, because all {len(frame)} values of {', '.join(empty)} are null"
        return Finding(expectation.severity, name, text)
    if result.success:
        return None
    return Finding(expectation.severity, name, f"{name}: {_observed(result.result, expectation.arguments)}")


def _exception(info: Mapping[str, Any]) -> str | None:
    """Returns the first exception; GX reports one, or one for each metric."""
    entries = [info] if "raised_exception" in info else [entry for entry in info.values() if isinstance(entry, Mapping)]
    texts = [str(entry.get("exception_message")) for entry in entries if entry.get("raised_exception")]
    return texts[0] if texts else None


def _observed(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    if result.get("unexpected_percent") is not None:
        allowed = 100 * (1 - arguments.get("mostly", 1.0))
        return f"{result['unexpected_percent']:.1f} % unexpected, allowed are {allowed:.1f} %"
    expected = ", ".join(f"{name} {value}" for name, value in arguments.items() if name != "column")
    if result.get("observed_value") is None and result.get("unexpected_count"):
        return f"{result['unexpected_count']} unexpected values, expected {expected}"
    return f"observed {result.get('observed_value')}, expected {expected}"


def _escaped(value: Any) -> Any:
    """Returns a JSON value with every text in it as HTML."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list | tuple) else value
