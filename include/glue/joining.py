"""Reference rows joined as they were known: the row valid at event_time - lead, in the version that was written by event_time."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from include.glue.columns import payload_schema
from include.workloads.declaration import JoinSpec, TableSpec


def table_versions(rows: DataFrame, table: TableSpec) -> DataFrame:
    """One row a (key, valid_from): the key's columns, ``valid_from`` and ``versions``, its distinct versions in the order
    written.
    """
    row = F.from_json("payload", payload_schema(table.fields)).alias("row")
    return (
        rows.where("reason is null")
        .select("valid_from", "watermark", row)
        .groupBy(*(F.col(f"row.{name}").alias(name) for name in table.key), "valid_from")
        .agg(F.sort_array(F.collect_set(F.struct("watermark", "row"))).alias("versions"))
    )


def join_as_of(events: DataFrame, versions: DataFrame, join: JoinSpec) -> DataFrame:
    """``events`` with the joined fields added, named by the join's prefix; null where no row was valid.

    One sorted pass over both, key by key, so a long history costs no more than its rows. Of the versions of a row the last one
    written by event_time counts, or the first one where the table was filled later: a correction never changes what was known.
    """
    as_of = F.col("event_time") - F.expr(f"interval {int(join.lead.total_seconds())} seconds")
    columns = [F.col(column).alias(f"_key_{i}") for i, column in enumerate(join.on)]
    fields = [F.col(field).alias(f"_key_{i}") for i, field in enumerate(join.on.values())]
    kind = versions.schema["versions"].dataType.simpleString()
    reference = versions.select(*columns, F.col("valid_from").alias("_at"), F.lit(0).alias("_event"), "versions")
    reference = reference.withColumn("_row", F.lit(None).cast(events.select(F.struct("*")).schema[0].dataType))
    asked = events.select(
        *fields,
        as_of.alias("_at"),
        F.lit(1).alias("_event"),
        F.lit(None).cast(kind).alias("versions"),
        F.struct("*").alias("_row"),
    )
    keys = [f"_key_{i}" for i in range(len(join.on))]
    until_now = (
        Window.partitionBy(*keys).orderBy("_at", "_event").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    found = asked.unionByName(reference).withColumn("versions", F.last("versions", ignorenulls=True).over(until_now))
    known = _known_version(F.col("versions"), F.col("_row.event_time"))
    joined = found.where("_event = 1").select("_row.*", known.alias("_known"))
    return joined.select("*", *(F.col(f"_known.row.{name}").alias(join.prefix + name) for name in join.fields)).drop(
        "_known"
    )


def _known_version(versions: Column, event_time: Column) -> Column:
    written = F.filter(versions, lambda version: version["watermark"] <= event_time)
    return F.coalesce(F.try_element_at(written, F.lit(-1)), F.get(versions, F.lit(0)))
