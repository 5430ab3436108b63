"""Runs a transform on Spark: raw objects are parsed side by side, then each worker makes whole days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as sf
from pyspark.sql.pandas.types import from_arrow_schema

from include.glue.columns import payload_schema
from include.glue.days import COUNTS_SCHEMA, JOINED, ORDER, SEQUENCE_LENGTH, DayMaker, DayPlan
from include.glue.joining import join_as_of, table_versions
from include.glue.lookup import Lookup
from include.glue.reading import EVENT_SCHEMA, TABLE_SCHEMA, EventParser, table_batches
from include.glue.report import TransformReport
from include.glue.storage import join_uri
from include.glue.tables import QUARANTINE_FILE, joined_tables
from include.glue.writing import RefusedRows
from include.workloads import Workload

Batches = Iterator[pa.RecordBatch]
_OBJECTS_A_TASK = 16  # at least, if there are enough cores for them all


def read_events(spark: SparkSession, uris: Sequence[str], parser: EventParser) -> DataFrame:
    """Reads the stream's raw objects."""
    return _read(spark, uris, parser.batches, EVENT_SCHEMA)


def make_days(events: DataFrame, days: Sequence[date], plan: DayPlan, lookups: list[Lookup]) -> list[Row]:
    """Writes the files of all days, each day in one task.

    Args:
        events: What :func:`read_events` or :func:`with_joined` returns.
        days: The days, in order.
        plan: What the files are made of.
        lookups: The joins; empty if ``events`` has the joined fields.

    Returns:
        What :meth:`DayMaker.make` yields.
    """
    context = events.sparkSession.sparkContext
    shared = context.broadcast(lookups)

    def make(batches: Iterable[pa.RecordBatch]) -> Batches:
        return DayMaker(plan, shared.value).make(batches)

    tasks = min(len(days), 2 * context.defaultParallelism)
    # Days in turn, not by hash: with few days a task, some tasks would have several times as many as others.
    number = sf.date_diff(sf.col("event_date").cast("date"), sf.lit(days[0]))
    in_tasks = events.repartitionById(tasks, sf.pmod(number, sf.lit(tasks)).cast("int"))
    in_order = in_tasks.withColumn(SEQUENCE_LENGTH, sf.length("sequence_number")).sortWithinPartitions(*ORDER)
    return in_order.mapInArrow(make, from_arrow_schema(COUNTS_SCHEMA)).collect()


def with_joined(
    events: DataFrame, workload: Workload, uris: Mapping[str, Sequence[str]], report: TransformReport, quarantine: str
) -> DataFrame:
    """Adds the joined fields of feature events as the column ``joined`` (JSON), counts table rows, keeps refused ones.

    Args:
        events: What :func:`read_events` returns.
        workload: The workload.
        uris: Table → its raw objects.
        report: The report.
        quarantine: URI of the run's quarantine prefix.
    """
    events = events.persist()
    versions = {}
    for name in joined_tables(workload):
        table = workload.tables[name]
        parse = partial(table_batches, table=table, clock=workload.clock)
        rows = _read(events.sparkSession, uris[name], parse, TABLE_SCHEMA).persist()
        report.count_table(name, rows.count(), rows.where("reason is not null").count())
        refused = RefusedRows()
        refused.add(row.asDict() for row in rows.where("reason is not null").toLocalIterator())
        refused.write(join_uri(quarantine, "tables", name), QUARANTINE_FILE)
        versions[name] = table_versions(rows, table)
    event = workload.events[workload.feature_event]
    record = sf.from_json("payload", payload_schema(event.fields))
    # The joined fields depend on the time of an event and on the keys of the joins only, so nothing else is shuffled.
    keys = {field: f"_on_{field}" for join in workload.joins for field in join.on.values()}
    features = events.where(_is_good(workload.feature_event)).withColumn("_record", record)
    features = features.select(
        *EVENT_SCHEMA.names, *(sf.col(f"_record.{field}").alias(name) for field, name in keys.items())
    )
    found = features.select("event_time", *keys.values()).distinct()
    for join in workload.joins:
        on = {column: keys[field] for column, field in join.on.items()}
        found = join_as_of(found, versions[join.table], join.model_copy(update={"on": on}))
    joined = sf.struct(*list(workload.request)[len(event.fields) :])
    found = found.select(
        *(sf.col(name).alias(f"_found_{name}") for name in ("event_time", *keys.values())),
        sf.to_json(joined, {"ignoreNullFields": "false"}).alias(JOINED),
    )
    same = [sf.col(name).eqNullSafe(sf.col(f"_found_{name}")) for name in ("event_time", *keys.values())]
    others = events.where(~_is_good(workload.feature_event)).withColumn(JOINED, sf.lit(None).cast("string"))
    return features.join(found, same).select(*EVENT_SCHEMA.names, JOINED).unionByName(others)


def _is_good(event_type: str) -> Column:
    """Whether an event is of a type and was not refused."""
    return (sf.col("event_type") == event_type) & sf.col("reason").isNull()


def _read(
    spark: SparkSession, uris: Sequence[str], parse: Callable[[Iterable[str]], Batches], schema: pa.Schema
) -> DataFrame:
    """Parses raw objects, so many in a task that the work is worth a task."""
    tasks = max(1, min(-(-len(uris) // _OBJECTS_A_TASK), 4 * spark.sparkContext.defaultParallelism))

    def parse_batches(batches: Iterable[pa.RecordBatch]) -> Batches:
        return parse(uris[number] for batch in batches for number in batch.column(0).to_pylist())

    return spark.range(0, len(uris), 1, tasks).mapInArrow(
        parse_batches, from_arrow_schema(schema, prefer_timestamp_ntz=True)
    )
