"""Joins reference rows to events as they were known when a prediction had to be made.

That is ``event_time - lead``. A version of a row is used only if it was valid by then *and* known by then. A version
written between then and the event is not used: the lead says how long before the event a prediction is made.

Of what was known, the row with the newest ``valid_from`` is taken, in its newest version. A row that nobody knew yet
does not hide the one before it: else the value would change on the day on which the row is entered. Where nothing was
known, the joined fields are null.

The transform looks reference rows up (:mod:`include.glue.lookup`) while they fit into a worker's memory; this join in
Spark is for more.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sf

from include.glue.columns import payload_schema
from include.lake.days import cutoff
from include.workloads.tables import JoinSpec, TableSpec


def table_versions(rows: DataFrame, table: TableSpec) -> DataFrame:
    """Computes from when on each version of a table's rows is visible to a join.

    A version is visible once it is valid and known. A table with an ``initial_load`` declares that its history was
    loaded late on purpose: the first version of a row counts as known since ``valid_from`` if it was known by the end
    of that day. Corrections of it count from when they were known, like all others.

    A version that is marked deleted (the table's ``deleted`` column) has no values: from when it is visible, nothing is
    joined, until there is a newer version of the row, or a row with a newer ``valid_from``.

    Args:
        rows: Parsed rows, as columns of :class:`include.glue.records.ParsedTableRow`.
        table: The table's declaration.

    Returns:
        One row per version: ``_key_<column>`` for each column of the key, ``visible_at`` (timestamp_ntz), ``order``
        (struct: of the visible versions, the one with the greatest counts) and ``row`` (struct; null if deleted).
        Versions that were read several times count from the first time. Rows with a null in their key are left out:
        null equals nothing.
    """
    versions = (
        rows.where("reason is null")
        .groupBy("payload", "valid_from")
        .agg(*(sf.min(name).alias(name) for name in ("known_at", "version_time", "arrived_at")))
        .withColumn("row", sf.from_json("payload", payload_schema(table.fields)))
        .select("*", *(sf.col(f"row.{column}").alias(_key(column)) for column in table.key))
        .dropna(subset=[_key(column) for column in table.key])
        .withColumn("visible_at", sf.greatest("valid_from", "known_at"))
    )
    if table.initial_load:
        versions = versions.withColumn("visible_at", _loaded_at(table, table.initial_load))
    if table.deleted:
        versions = versions.withColumn("row", sf.when(~_is_deleted(table, table.deleted), sf.col("row")))
    order = sf.struct("valid_from", "version_time", "known_at").alias("order")
    return versions.select(*map(_key, table.key), "visible_at", order, "row")


def join_as_of(events: DataFrame, versions: DataFrame, join: JoinSpec) -> DataFrame:
    """Adds the joined fields to events.

    One sorted pass over the events and versions of a key and a day. What was known at the end of the days before is
    one more version at the start of a day, so that few keys do not mean few tasks, and a long history is not read for
    every event.

    Args:
        events: Columns ``event_time`` (timestamp_ntz) and the fields that the join names, besides others. All columns
            travel through the join, so they should be few.
        versions: What :func:`table_versions` returns.
        join: The join.

    Returns:
        The columns of ``events``, then the joined fields with the join's prefix; null where no row was known.
    """
    as_of = sf.col("event_time") - sf.expr(f"interval {int(join.lead.total_seconds())} seconds")
    keys = [_key(column) for column in join.on]
    fields = [sf.col(field).alias(_key(column)) for column, field in join.on.items()]
    values = sf.struct(*(sf.col(f"row.{name}").alias(name) for name in join.fields)).alias("values")
    no_event = sf.lit(None).cast(events.select(sf.struct("*")).schema[0].dataType).alias("_row")
    reference = versions.select(
        *keys,
        sf.col("visible_at").alias("_at"),
        sf.lit(0).alias("_event"),
        sf.struct("order", values).alias("_found"),
        no_event,
    )
    keyed_events = events.select(
        *fields,
        as_of.alias("_at"),
        sf.lit(1).alias("_event"),
        sf.lit(None).cast(reference.schema["_found"].dataType).alias("_found"),
        sf.struct("*").alias("_row"),
    )
    both = keyed_events.unionByName(reference).withColumn("_day", sf.col("_at").cast("date"))
    earlier = Window.partitionBy(*keys).orderBy("_day").rowsBetween(Window.unboundedPreceding, -1)
    before = both.groupBy(*keys, "_day").agg(sf.max("_found").alias("_found"))
    before = before.withColumn("_found", sf.max("_found").over(earlier))
    before = before.select("*", sf.lit(None).cast("timestamp_ntz").alias("_at"), sf.lit(0).alias("_event"), no_event)
    until_now = (
        Window.partitionBy(*keys, "_day")
        .orderBy(sf.asc_nulls_first("_at"), "_event")
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    found = both.unionByName(before).withColumn("_found", sf.max("_found").over(until_now))
    added = [sf.col(f"_found.values.{name}").alias(join.prefix + name) for name in join.fields]
    return found.where("_event = 1").select("_row.*", *added)


def _key(column: str) -> str:
    """A key column's name in a join; a table's column may have the name of one that the join adds."""
    return f"_key_{column}"


def _is_deleted(table: TableSpec, column: str) -> Column:
    """Whether a version is marked deleted: by true, or by any time."""
    value = sf.col(f"row.{column}")
    return sf.coalesce(value, sf.lit(False)) if table.fields[column].type == "boolean" else value.isNotNull()


def _loaded_at(table: TableSpec, initial_load: date) -> Column:
    """When a version becomes visible, if history was loaded by the end of a day."""
    versions_of_row = Window.partitionBy(*map(_key, table.key), "valid_from").orderBy(
        "arrived_at", "version_time", "payload"
    )
    end = sf.lit(cutoff(initial_load).date().isoformat()).cast("timestamp_ntz")
    is_loaded = (sf.row_number().over(versions_of_row) == 1) & (sf.col("known_at") < end)
    return sf.when(is_loaded, sf.col("valid_from")).otherwise(sf.col("visible_at"))
