"""Great Expectations on many days: one validation of a range, with a result for each day.

A validation costs some milliseconds for each expectation, however few the rows are. So its metrics are set up once for
an event type, and whether a row meets an expectation is found for the rows of many days, or of a part of a large day,
at once. The unexpected rows are then counted by day, and Great Expectations judges each day by its own counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from great_expectations.core import ExpectationSuite, ExpectationValidationResult
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import Expectation
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.metrics_calculator import MetricsCalculator
from great_expectations.validator.validation_graph import ExpectationValidationGraph, ValidationGraph

from include.glue.day_rows import DayRows
from include.workloads.expectations import ExpectationSpec, SuiteSpec

# Counts and shares, but no values of rows: those of events are anybody's text.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
_BATCH = "days"
_TEXTS = frozenset((
    "expect_column_value_lengths_to_be_between",
    "expect_column_value_lengths_to_equal",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_match_regex_list",
    "expect_column_values_to_match_strftime_format",
    "expect_column_values_to_not_match_regex",
    "expect_column_values_to_not_match_regex_list",
))  # fmt: skip
"""Of a column of text, each row meets them or does not, whatever the other rows are."""
_VALUES = frozenset((
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_null",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_not_be_null",
))  # fmt: skip
"""The same of any column."""
_COUNTS = ("table.row_count", ".unexpected_count", ".filtered_row_count")

Metrics = dict[Any, Any]
"""Great Expectations' metrics: the id or the name of a metric → its value."""


class _Prepared(NamedTuple):
    number: int
    spec: ExpectationSpec
    expectation: Expectation
    metrics: Mapping[str, MetricConfiguration]
    """What it is judged by: name → metric."""
    graph: ExpectationValidationGraph
    """The same with all that is needed to compute it."""


class RangeValidation:
    """The validation of one event type.

    Args:
        suite: What the workload expects.
        gx_suite: The same as Great Expectations' suite, in the same order.
    """

    def __init__(self, suite: SuiteSpec, gx_suite: ExpectationSuite) -> None:
        self._engine = PandasExecutionEngine()
        self._prepared = [
            self._prepare(number, spec, expectation)
            for number, (spec, expectation) in enumerate(zip(suite.expectations, gx_suite.expectations, strict=True))
        ]

    def validate(self, days: Sequence[DayRows]) -> list[list[ExpectationValidationResult]]:
        """Validates days that have rows.

        Args:
            days: Days, together of at most ``CHUNK_ROWS`` rows; or one, however large it is.

        Returns:
            For each day, the result of each expectation.
        """
        if len(days) > 1 and any(day.schema != days[0].schema for day in days):
            return [result for day in days for result in self.validate([day])]
        by_row = [one for one in self._prepared if _is_by_row(one.spec, days)]
        judged = self._by_row(by_row, days)
        if judged is None:
            return [result for day in days for result in self.validate([day])]
        others = [one for one in self._prepared if one not in by_row]
        for day, results in zip(days, judged, strict=True):
            # All at once need the columns of all in memory.
            for several in [[one] for one in others] if day.is_large else [others]:
                results |= self._whole(several, day)
        return [[results[number] for number in sorted(results)] for results in judged]

    def _prepare(self, number: int, spec: ExpectationSpec, expectation: Expectation) -> _Prepared:
        configuration = expectation.configuration
        configuration.kwargs["batch_id"] = _BATCH
        expectation = configuration.to_domain_obj()
        needed = expectation.get_validation_dependencies(self._engine, _runtime())
        graph = MetricsCalculator(self._engine).build_metric_dependency_graph(
            needed.get_metric_configurations(), _runtime()
        )
        graph_of_one = ExpectationValidationGraph(configuration, graph)
        return _Prepared(number, spec, expectation, needed.metric_configurations, graph_of_one)

    def _by_row(
        self, prepared: Sequence[_Prepared], days: Sequence[DayRows]
    ) -> list[dict[int, ExpectationValidationResult]] | None:
        """Judges by the number of unexpected rows; None if several days could not be evaluated together."""
        counts: list[Counter[Any]] = [Counter() for _ in days]
        failed: dict[int, ExpectationValidationResult] = {}
        for frame, place in _chunks(days, [column for one in prepared for column in one.spec.columns]):
            metrics, aborted = self._resolve(prepared, frame)
            if aborted and len(days) > 1:
                return None
            failed |= {
                one.number: _failure(one, error) for one in prepared if (error := one.graph.get_exception_info(aborted))
            }
            counted = [metric for one in prepared if one.number not in failed for metric in one.metrics.values()]
            _count({metric.id: metric for metric in counted}, metrics, place, counts)
        judged = [one for one in prepared if one.number not in failed]
        return [
            {**failed, **{one.number: self._judge(one, _judged_by(one, found)) for one in judged}} for found in counts
        ]

    def _whole(self, prepared: Sequence[_Prepared], day: DayRows) -> dict[int, ExpectationValidationResult]:
        """Evaluates expectations on all rows of a day."""
        needed = {name for one in prepared for name in _needed(one.spec, day)}
        metrics, aborted = self._resolve(prepared, day.frame([name for name in day.names if name in needed]))
        results = {}
        for one in prepared:
            if error := one.graph.get_exception_info(aborted):
                results[one.number] = _failure(one, error)
            else:
                found = {name: metrics[metric.id] for name, metric in one.metrics.items()}
                results[one.number] = self._judge(one, found)
        return results

    def _judge(self, one: _Prepared, metrics: Metrics) -> ExpectationValidationResult:
        """Applies the expectation's own rule. The public way to it sets up the metrics anew each time."""
        try:
            judged: Any = one.expectation._validate(metrics, _runtime(), self._engine)
        except Exception as error:  # whatever it is, the expectation is not met
            text = str(error)
            return _failure(one, {"raised_exception": True, "exception_message": text, "exception_traceback": text})
        found: dict[str, Any] = judged.to_json_dict() if isinstance(judged, ExpectationValidationResult) else judged
        return ExpectationValidationResult(
            success=found["success"], result=found.get("result"), expectation_config=one.graph.configuration
        )

    def _resolve(self, prepared: Sequence[_Prepared], frame: pd.DataFrame) -> tuple[Metrics, Any]:
        """Computes the metrics; returns them, and what could not be computed."""
        self._engine.load_batch_data(_BATCH, frame)
        edges = [edge for one in prepared for edge in one.graph.graph.edges]
        return ValidationGraph(self._engine, edges).resolve(_runtime(), show_progress_bars=False)


def _runtime() -> dict[str, Any]:
    """What Great Expectations is told of results; it changes what it is given."""
    return {"result_format": dict(_RESULT_FORMAT)}


def _is_by_row(spec: ExpectationSpec, days: Sequence[DayRows]) -> bool:
    """Whether each row meets the expectation or does not, whatever the other rows are."""
    if "row_condition" in spec.arguments:
        return False
    if spec.type not in _TEXTS:
        return spec.type in _VALUES
    kinds = [day.schema.field(column).type for day in days for column in spec.columns if column in day.names]
    return all(pa.types.is_string(kind) for kind in kinds)


def _needed(spec: ExpectationSpec, day: DayRows) -> list[str]:
    """The columns of the day that an expectation may look at."""
    about_columns = spec.type.startswith("expect_column_") and "row_condition" not in spec.arguments
    return [name for name in day.names if not about_columns or name in spec.columns]


def _chunks(days: Sequence[DayRows], columns: Sequence[str]) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """Yields the rows of the days, with the place of the day that each row belongs to."""
    names = [name for name in dict.fromkeys(columns) if name in days[0].names]
    if len(days) == 1:
        for part in days[0].parts(names):
            yield part.to_pandas(use_threads=days[0].is_large), np.zeros(len(part), dtype=np.int64)
        return
    tables = [day.table(names) for day in days]
    yield pa.concat_tables(tables).to_pandas(), np.repeat(np.arange(len(days)), [day.rows for day in days])


def _judged_by(one: _Prepared, counts: Mapping[Any, int]) -> Metrics:
    """The counts of a day under the names by which the expectation knows them, and no values of rows."""
    return {name: counts[metric.id] if name.endswith(_COUNTS) else [] for name, metric in one.metrics.items()}


def _count(
    needed: Mapping[Any, MetricConfiguration], metrics: Metrics, place: np.ndarray, counts: list[Counter[Any]]
) -> None:
    """Adds to each day what its rows add to the counts by which it is judged; expectations share some of them."""
    for identifier, metric in needed.items():
        if metric.metric_name == "table.row_count":
            rows = place
        elif metric.metric_name.endswith(".unexpected_count"):
            unexpected, *_ = metrics[metric.metric_dependencies["unexpected_condition"].id]
            rows = place[unexpected.index[unexpected.to_numpy(dtype=bool)]]
        elif metric.metric_name.endswith(".filtered_row_count"):
            unexpected, *_ = metrics[metric.metric_dependencies["unexpected_condition"].id]
            rows = place[unexpected.index]
        else:
            continue
        for day, number in zip(counts, np.bincount(rows, minlength=len(counts)), strict=True):
            day[identifier] += int(number)


def _failure(one: _Prepared, error: Any) -> ExpectationValidationResult:
    return ExpectationValidationResult(success=False, exception_info=error, expectation_config=one.graph.configuration)
