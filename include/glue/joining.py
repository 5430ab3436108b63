"""Joins reference rows to events as they were known at the event's time.

An event gets the row that is valid at ``event_time - lead``, in the last version that was written by ``event_time``.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sf

from include.glue.columns import payload_schema
from include.workloads.declaration import JoinSpec, TableSpec


def table_versions(rows: DataFrame, table: TableSpec) -> DataFrame:
    """Groups a table's rows into one row per key and ``valid_from``.

    Args:
        rows: What :func:`include.glue.reading.read_table` returns.
        table: The table's declaration.

    Returns:
        The key's columns, ``valid_from`` (timestamp_ntz) and ``versions``: an array of ``(watermark, row)`` with the
        distinct versions in the order in which they were written.
    """
    row = sf.from_json("payload", payload_schema(table.fields)).alias("row")
    return (
        rows.where("reason is null")
        .select("valid_from", "watermark", row)
        .groupBy(*(sf.col(f"row.{name}").alias(name) for name in table.key), "valid_from")
        .agg(sf.sort_array(sf.collect_set(sf.struct("watermark", "row"))).alias("versions"))
    )


def join_as_of(events: DataFrame, versions: DataFrame, join: JoinSpec) -> DataFrame:
    """Adds the joined fields to events.

    One sorted pass over events and reference rows of a key, so a long history costs no more than reading its rows. If
    all versions of a row were written after ``event_time`` (the table was filled later), the first one is used: a
    correction never changes what was known.

    Args:
        events: Columns ``event_time`` (timestamp_ntz) and the fields that the join names, besides others.
        versions: What :func:`table_versions` returns.
        join: The join.

    Returns:
        The columns of ``events``, then the joined fields with the join's prefix; null where no row was valid.
    """
    as_of = sf.col("event_time") - sf.expr(f"interval {int(join.lead.total_seconds())} seconds")
    columns = [sf.col(column).alias(f"_key_{i}") for i, column in enumerate(join.on)]
    fields = [sf.col(field).alias(f"_key_{i}") for i, field in enumerate(join.on.values())]
    kind = versions.schema["versions"].dataType.simpleString()
    reference = versions.select(*columns, sf.col("valid_from").alias("_at"), sf.lit(0).alias("_event"), "versions")
    reference = reference.withColumn("_row", sf.lit(None).cast(events.select(sf.struct("*")).schema[0].dataType))
    keyed_events = events.select(
        *fields,
        as_of.alias("_at"),
        sf.lit(1).alias("_event"),
        sf.lit(None).cast(kind).alias("versions"),
        sf.struct("*").alias("_row"),
    )
    keys = [f"_key_{i}" for i in range(len(join.on))]
    until_now = (
        Window.partitionBy(*keys).orderBy("_at", "_event").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    found = keyed_events.unionByName(reference).withColumn(
        "versions", sf.last("versions", ignorenulls=True).over(until_now)
    )
    known = _known_version(sf.col("versions"), sf.col("_row.event_time"))
    joined = found.where("_event = 1").select("_row.*", known.alias("_known"))
    added = [sf.col(f"_known.row.{name}").alias(join.prefix + name) for name in join.fields]
    return joined.select("*", *added).drop("_known")


def _known_version(versions: Column, event_time: Column) -> Column:
    written = sf.filter(versions, lambda version: version["watermark"] <= event_time)
    return sf.coalesce(sf.try_element_at(written, sf.lit(-1)), sf.get(versions, sf.lit(0)))
