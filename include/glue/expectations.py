"""Evaluates a workload's expectations of one day of one event type.

Great Expectations evaluates those on columns; row counts, quarantine and uniqueness are checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import great_expectations as gx
import pandas as pd
from great_expectations.core import ExpectationSuite, ExpectationValidationResult
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.exceptions import GreatExpectationsError
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.registry import get_expectation_impl

from include.glue.errors import GlueJobError
from include.workloads import Workload
from include.workloads.expectations import ExpectationSpec, SuiteSpec

if TYPE_CHECKING:
    from include.glue.report import EventCounts

# Key of an expectation's metadata: its index in the workload's suite.
_INDEX = "index"
_NAMED_REASONS = 3


class Finding(NamedTuple):
    """An expectation that is not met: its severity (critical or warning) and what was found."""

    severity: str
    text: str


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
            found += [*_unique(suite, frame), *self._columns(event_type, suite, day, frame)]
        return [Finding(severity, f"{event_type}: {text}") for severity, text in found]

    def _columns(self, event_type: str, suite: SuiteSpec, day: date, frame: pd.DataFrame) -> list[Finding]:
        if not suite.expectations:
            return []
        if event_type not in self._gx_suites:
            self._source.add_dataframe_asset(name=event_type)
            self._gx_suites[event_type] = self.context.suites.add(gx_suite(event_type, suite))
        batch = self._source.get_asset(event_type).add_batch_definition_whole_dataframe(f"{event_type} {day}")
        definition = gx.ValidationDefinition(name=f"{event_type} {day}", data=batch, suite=self._gx_suites[event_type])
        definition = self.context.validation_definitions.add(definition)
        # SUMMARY has counts, shares and a few example values; COMPLETE would put whole rows into the documents.
        outcome = definition.run(batch_parameters={"dataframe": frame}, result_format="SUMMARY")
        results = {_index(result): result for result in outcome.results}
        findings = (_finding(spec, results.get(index)) for index, spec in enumerate(suite.expectations))
        return [finding for finding in findings if finding is not None]


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
        found.append(Finding("critical", "no rows"))
    elif rows < suite.rows.min or (suite.rows.max is not None and rows > suite.rows.max):
        upper = "any number" if suite.rows.max is None else suite.rows.max
        found.append(Finding(suite.rows.severity, f"{rows} rows, expected {suite.rows.min} to {upper}"))
    if counts is None:
        return [*found, Finding("critical", "the transform's report does not have this day")]
    if counts["written"] != rows:
        found.append(Finding("critical", f"{rows} rows were found, but the transform's report has {counts['written']}"))
    share = counts["quarantined"] / counts["read"] if counts["read"] else 0.0
    if share > suite.quarantine:
        text = f"{counts['quarantined']} of {counts['read']} rows quarantined ({share:.1%})"
        found.append(Finding("critical", f"{text}, allowed are {suite.quarantine:.1%}{_most_frequent(reasons)}"))
    return found


def _most_frequent(reasons: Mapping[str, int]) -> str:
    """`` because of <reason> (<n> rows), …``; empty without reasons."""
    named = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:_NAMED_REASONS]
    return " because of " + ", ".join(f"{reason} ({rows} rows)" for reason, rows in named) if named else ""


def _unique(suite: SuiteSpec, frame: pd.DataFrame) -> list[Finding]:
    missing = [column for column in suite.unique if column not in frame.columns]
    if missing:
        return [Finding("critical", f"the column {', '.join(missing)} is missing")]
    repeated = int(frame.duplicated(list(suite.unique)).sum())
    return (
        [Finding("critical", f"{repeated} rows have the same {', '.join(suite.unique)} as another row")]
        if repeated
        else []
    )


def _index(result: ExpectationValidationResult) -> int | None:
    """Returns the index of the result's expectation in the workload's suite."""
    config = result.expectation_config
    return config.meta[_INDEX] if config and config.meta else None


def _finding(expectation: ExpectationSpec, result: ExpectationValidationResult | None) -> Finding | None:
    name = f"{expectation.type}({', '.join(map(str, expectation.columns))})"
    if result is None:
        return Finding("critical", f"{name}: Great Expectations returned no result")
    if result.success:
        return None
    error = _exception(result.exception_info or {})
    if error:
        return Finding("critical", f"{name}: could not be evaluated: {error}")
    return Finding(expectation.severity, f"{name}: {_observed(result.result, expectation.arguments)}")


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
    return f"observed {result.get('observed_value')}, expected {expected}"
