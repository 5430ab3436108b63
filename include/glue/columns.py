"""How a workload's field types are called in Spark."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from include.workloads import FieldSpec

# Times in a payload stay ISO text until they are written: that is what features() takes, here and in the service.
_PAYLOAD = {
    "string": T.StringType(),
    "integer": T.LongType(),
    "number": T.DoubleType(),
    "boolean": T.BooleanType(),
    "timestamp": T.StringType(),
}
_ATHENA = {"string": "string", "bigint": "bigint", "double": "double", "boolean": "boolean"}


def payload_schema(fields: Mapping[str, FieldSpec]) -> T.StructType:
    """The type of a checked payload (canonical JSON)."""
    return T.StructType([T.StructField(name, _PAYLOAD[spec.type]) for name, spec in fields.items()])


def as_athena(name: str, athena_type: str) -> Column:
    """A column as the catalog's type wants it in Parquet. Times have no zone there: every reader takes them for the UTC they
    are.
    """
    column = F.col(name)
    if athena_type == "timestamp":
        # Text with an offset has to go by way of a zoned timestamp; the session's zone is UTC.
        return column.cast("timestamp").cast("timestamp_ntz").alias(name)
    return column.cast(_ATHENA[athena_type]).alias(name)
