"""Computes the features of a frame with the workload's ``features(record)``, the same function that the service calls.

Row by row, in Arrow batches (``mapInArrow``).
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import DoubleType, StringType, StructField, StructType

from include.workloads import Workload
from include.workloads.feature_code import compute_row, load_feature_code
from include.workloads.schema import feature_column

REASON_COLUMN = "_reason"
_SPARK_TYPES = {"number": DoubleType(), "category": StringType()}


def with_features(frame: DataFrame, workload: Workload) -> DataFrame:
    """Adds the features to a frame of request records.

    Args:
        frame: The request fields as columns, besides others.
        workload: The workload.

    Returns:
        The columns of ``frame``, one column ``f_<feature>`` per feature (double or string), and ``_reason``: null, or
        why the row has no features.
    """
    source, request = workload.features_source, list(workload.request)
    added = [StructField(feature_column(name), _SPARK_TYPES[kind]) for name, kind in workload.features.items()]
    output = StructType([*frame.schema.fields, *added, StructField(REASON_COLUMN, StringType())])
    arrow = to_arrow_schema(output)

    def compute_batches(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        code = load_feature_code(source)
        for batch in batches:
            results = [compute_row(code, record) for record in batch.select(request).to_pylist()]
            features = [[values.get(name) for values, _ in results] for name in code.kinds]
            new = [*features, [reason for _, reason in results]]
            fields = list(arrow)[len(batch.columns) :]
            arrays = [pa.array(values, field.type) for values, field in zip(new, fields, strict=True)]
            yield pa.RecordBatch.from_arrays([*batch.columns, *arrays], schema=arrow)

    return frame.mapInArrow(compute_batches, output)
