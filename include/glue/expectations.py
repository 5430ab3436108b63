"""Our expectations of one day of one event type, evaluated; Great Expectations does the columns, the counts are compared here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import great_expectations as gx
import pandas as pd
from great_expectations.core import ExpectationSuite, ExpectationValidationResult
from great_expectations.exceptions import GreatExpectationsError
from great_expectations.expectations.registry import get_expectation_impl

from include.workloads import Workload
from include.workloads.expectations import ExpectationSpec, SuiteSpec


class Finding(NamedTuple):
    """Something that is not as expected."""

    severity: str
    text: str


class Auditor:
    """Holds one GX context, so that the Data Docs show every day audited."""

    def __init__(self, workload: Workload) -> None:
        self.context = gx.get_context(mode="ephemeral")
        self.context.variables.progress_bars = {"globally": False}
        self._source = self.context.data_sources.add_pandas(name=workload.name)
        self._suites = workload.suites
        self._gx_suites: dict[str, ExpectationSuite] = {}

    def audit(self, event_type: str, day: date, frame: pd.DataFrame, counts: Mapping[str, int] | None) -> list[Finding]:
        """``counts`` is the transform's report of this day and event type. An empty list means that all is well."""
        suite = self._suites[event_type]
        found = [*_counts(suite, len(frame), counts)]
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
        # SUMMARY tells counts and shares; COMPLETE would put rows into the documents.
        outcome = definition.run(batch_parameters={"dataframe": frame}, result_format="SUMMARY")
        by_place = {result.expectation_config.meta["place"]: result for result in outcome.results}
        found = []
        for place, expectation in enumerate(suite.expectations):
            if finding := _judge(expectation, by_place.get(place)):
                found.append(finding)
        return found


def gx_suite(event_type: str, suite: SuiteSpec) -> ExpectationSuite:
    expectations = []
    for place, ours in enumerate(suite.expectations):
        try:
            implementation = get_expectation_impl(ours.type)
            expectation = implementation(**ours.arguments, severity=ours.severity, meta={"place": place})
        except (GreatExpectationsError, ValueError, TypeError) as error:
            raise ValueError(
                f"expectations of {event_type}: {ours.type} is not an expectation GX can make: {error}"
            ) from error
        expectations.append(expectation)
    return ExpectationSuite(name=event_type, expectations=expectations)


def _counts(suite: SuiteSpec, rows: int, counts: Mapping[str, int] | None) -> list[Finding]:
    found = []
    if rows == 0:
        found.append(Finding("critical", "no rows"))
    elif rows < suite.rows.min or (suite.rows.max is not None and rows > suite.rows.max):
        upper = "any number" if suite.rows.max is None else suite.rows.max
        found.append(Finding(suite.rows.severity, f"{rows} rows, expected {suite.rows.min} to {upper}"))
    if counts is None:
        return [*found, Finding("critical", "the transform's report says nothing about this day")]
    if counts["written"] != rows:
        found.append(Finding("critical", f"{rows} rows are there, the transform's report says {counts['written']}"))
    share = counts["quarantined"] / counts["read"] if counts["read"] else 0.0
    if share > suite.quarantine:
        text = f"{counts['quarantined']} of {counts['read']} rows quarantined ({share:.1%}), allowed are {suite.quarantine:.1%}"
        found.append(Finding("critical", text))
    return found


def _unique(suite: SuiteSpec, frame: pd.DataFrame) -> list[Finding]:
    missing = [column for column in suite.unique if column not in frame.columns]
    if missing:
        return [Finding("critical", f"the column {', '.join(missing)} is not there")]
    repeated = int(frame.duplicated(list(suite.unique)).sum())
    return [Finding("critical", f"{repeated} rows repeat {', '.join(suite.unique)} of another")] if repeated else []


def _judge(expectation: ExpectationSpec, result: ExpectationValidationResult | None) -> Finding | None:
    name = f"{expectation.type}({', '.join(map(str, expectation.columns))})"
    if result is None:
        return Finding("critical", f"{name}: has no result")
    if result.success:
        return None
    error = _exception(result.exception_info or {})
    if error:
        return Finding("critical", f"{name}: could not be evaluated: {error}")
    return Finding(expectation.severity, f"{name}: {_observed(result.result, expectation.arguments)}")


def _exception(info: Mapping[str, Any]) -> str | None:
    """GX gives one exception, or one for each metric."""
    entries = [info] if "raised_exception" in info else [entry for entry in info.values() if isinstance(entry, Mapping)]
    texts = [str(entry.get("exception_message")) for entry in entries if entry.get("raised_exception")]
    return texts[0] if texts else None


def _observed(result: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    if result.get("unexpected_percent") is not None:
        return f"{result['unexpected_percent']:.1f} % unexpected, allowed are {100 * (1 - arguments.get('mostly', 1.0)):.1f} %"
    expected = ", ".join(f"{name} {value}" for name, value in arguments.items() if name != "column")
    return f"observed {result.get('observed_value')}, expected {expected}"
