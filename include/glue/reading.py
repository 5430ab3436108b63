"""Reads raw objects as frames: parsed, checked against the schema, exact duplicates marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as sf

from include.glue.records import ParsedEvent, ParsedTableRow, Schemas, parse_event, parse_table_row
from include.lake.known import Clock
from include.workloads.tables import TableSpec

# The same columns for Spark and for Arrow, in the order of the named tuples.
_SPARK_TYPES = {pa.string(): "string", pa.timestamp("us"): "timestamp_ntz"}
_TIMES = {"event_time", "known_at", "recorded_at", "arrived_at", "valid_from", "version_time"}


def read_events(
    spark: SparkSession,
    uris: Sequence[str],
    schemas: Schemas,
    clock: Clock,
    days: Iterable[date],
    heartbeat: str | None = None,
) -> DataFrame:
    """Reads the events of some days.

    Args:
        spark: The session.
        uris: The stream's raw objects.
        schemas: The fields of each event type.
        clock: The workload's clock.
        days: The days that are wanted.
        heartbeat: The event type of heartbeats, which are left out.

    Returns:
        One row per event: the fields of :class:`ParsedEvent` as columns (times: timestamp_ntz, the rest: string), and
        ``duplicate`` (boolean): an event that was known earlier has exactly the same content.
    """
    wanted = frozenset(day.isoformat() for day in days)
    parsed = _map_lines(spark, uris, ParsedEvent, lambda line: parse_event(line, schemas, clock, wanted, heartbeat))
    same = Window.partitionBy("event_type", "key", "event_time", "recorded_at", "payload")
    first_known = same.orderBy("known_at", "arrived_at", sf.length("sequence_number"), "sequence_number", "shard_id")
    duplicate = sf.col("reason").isNull() & (sf.row_number().over(first_known) > 1)
    return parsed.withColumn("duplicate", duplicate)


def read_table(spark: SparkSession, uris: Sequence[str], table: TableSpec, clock: Clock) -> DataFrame:
    """Reads every version of a reference table's rows.

    Returns:
        One row per version: the fields of :class:`ParsedTableRow` as columns.
    """
    return _map_lines(spark, uris, ParsedTableRow, lambda line: parse_table_row(line, table, clock))


def _map_lines(
    spark: SparkSession,
    uris: Sequence[str],
    row_type: type[ParsedEvent] | type[ParsedTableRow],
    parse: Callable[[str], tuple[Any, ...] | None],
) -> DataFrame:
    lines = spark.read.text(list(uris)) if uris else spark.createDataFrame([], "value string")
    names = row_type._fields
    schema = pa.schema([(name, pa.timestamp("us") if name in _TIMES else pa.string()) for name in names])

    def parse_batches(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        for batch in batches:
            rows = [row for line in batch.column(0).to_pylist() if (row := parse(line)) is not None]
            values = zip(*rows, strict=True) if rows else ((),) * len(names)
            yield pa.RecordBatch.from_pydict(dict(zip(names, values, strict=True)), schema=schema)

    return lines.mapInArrow(parse_batches, ", ".join(f"{field.name} {_SPARK_TYPES[field.type]}" for field in schema))
