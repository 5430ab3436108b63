"""The Spark types of a workload's fields."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql.types import BooleanType, DoubleType, LongType, StringType, StructField, StructType

from include.workloads import FieldSpec

# Times in a payload stay ISO 8601 text until they are written, because features() takes text, here and in the service.
_PAYLOAD_TYPES = {
    "string": StringType(),
    "integer": LongType(),
    "number": DoubleType(),
    "boolean": BooleanType(),
    "timestamp": StringType(),
}


def payload_schema(fields: Mapping[str, FieldSpec]) -> StructType:
    """Returns the Spark type of a checked payload (canonical JSON)."""
    return StructType([StructField(name, _PAYLOAD_TYPES[spec.type]) for name, spec in fields.items()])
