"""The workload's ``features(record)`` over a frame, row by row, in Arrow batches: the same function that the service calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from include.workloads import Workload
from include.workloads.fields import LARGEST_NUMBER
from include.workloads.feature_code import FeatureFunction, load_feature_code
from include.workloads.schema import feature_column

_LONGEST_REASON = 200


def with_features(frame: DataFrame, workload: Workload) -> DataFrame:
    """``frame`` with a column ``f_<feature>`` for each feature, and ``_reason``: null, or why the row has none."""
    source, kinds, request = workload.features_source, workload.features, tuple(workload.request)
    added = [T.StructField(feature_column(name), _SPARK[kind]) for name, kind in kinds.items()]
    output = T.StructType([*frame.schema.fields, *added, T.StructField("_reason", T.StringType())])
    arrow = to_arrow_schema(output)

    def compute(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        function = load_feature_code(source).features
        for batch in batches:
            rows = batch.select(list(request)).to_pylist()
            results = [compute_row(function, kinds, row) for row in rows]
            columns = {name: [values.get(name) for values, _ in results] for name in kinds}
            arrays = [*batch.columns, *columns.values(), [reason for _, reason in results]]
            yield pa.RecordBatch.from_arrays(
                [
                    array if isinstance(array, pa.Array) else pa.array(array, field.type)
                    for array, field in zip(arrays, arrow, strict=True)
                ],
                schema=arrow,
            )

    return frame.mapInArrow(compute, output)


def compute_row(
    function: Callable[[Mapping[str, Any]], Mapping[str, Any]], kinds: Mapping[str, str], record: Mapping[str, Any]
) -> tuple[dict[str, float | str | None], str | None]:
    """The features of one record and None, or {} and why there are none."""
    try:
        values = function(record)
    except Exception as error:
        return {}, f"features: {type(error).__name__}: {error}"[:_LONGEST_REASON]
    if not isinstance(values, Mapping) or values.keys() != kinds.keys():
        return {}, "features: did not return exactly the names in FEATURES"
    for name, value in values.items():
        if problem := _problem(value, kinds[name]):
            return {}, f"features: {name}: {problem}"
    return {
        name: float(value) if kinds[name] == "number" and value is not None else value for name, value in values.items()
    }, None


def _problem(value: Any, kind: str) -> str | None:
    if value is None:
        return None
    if kind == "category":
        return None if isinstance(value, str) else "is not a string"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "is not a number"
    if not math.isfinite(value) or abs(value) >= LARGEST_NUMBER:
        return f"is not a finite number below {LARGEST_NUMBER:g}"
    return None


_SPARK = {"number": T.DoubleType(), "category": T.StringType()}
