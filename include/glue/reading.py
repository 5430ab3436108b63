"""Raw objects as frames: parsed, checked against the schema, exact duplicates marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from include.glue.records import Record, Row, Schemas, parse_event, parse_row
from include.workloads.declaration import TableSpec

# The same columns for Spark and for Arrow; the order is that of the named tuples.
_SPARK_TYPES = {pa.string(): "string", pa.timestamp("us"): "timestamp_ntz"}
_TIMES = {"event_time", "recorded_at", "arrived_at", "valid_from", "watermark"}


def read_events(spark: SparkSession, uris: Sequence[str], schemas: Schemas, days: Iterable[date]) -> DataFrame:
    """The events of ``days``, a row a :class:`Record` and a boolean ``duplicate``: an earlier arrival says exactly the same."""
    wanted = frozenset(day.isoformat() for day in days)
    parsed = _map_lines(spark, uris, Record, lambda line: parse_event(line, schemas, wanted))
    same = Window.partitionBy("event_type", "key", "event_time", "recorded_at", "payload")
    first_arrival = same.orderBy("arrived_at", F.length("sequence_number"), "sequence_number", "shard_id")
    duplicate = F.col("reason").isNull() & (F.row_number().over(first_arrival) > 1)
    return parsed.withColumn("duplicate", duplicate)


def read_table(spark: SparkSession, uris: Sequence[str], table: TableSpec) -> DataFrame:
    """Every version of a reference table's rows, a row a :class:`Row`."""
    fields, valid_from, watermark = table.fields, table.valid_from, table.watermark
    return _map_lines(spark, uris, Row, lambda line: parse_row(line, fields, valid_from, watermark))


def _map_lines(
    spark: SparkSession, uris: Sequence[str], row_type: type[Record] | type[Row], parse: Callable[[str], tuple | None]
) -> DataFrame:
    lines = spark.read.text(list(uris)) if uris else spark.createDataFrame([], "value string")
    schema = pa.schema([(name, pa.timestamp("us") if name in _TIMES else pa.string()) for name in row_type._fields])
    names = row_type._fields

    def parse_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = [row for line in batch.column(0).to_pylist() if (row := parse(line)) is not None]
            columns: Mapping = (
                dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {name: [] for name in names}
            )
            yield pa.RecordBatch.from_pydict(columns, schema=schema)

    return lines.mapInArrow(parse_batches, ", ".join(f"{field.name} {_SPARK_TYPES[field.type]}" for field in schema))
