"""Writes processed rows and refused rows. A prefix belongs to one run, so a second write replaces the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import DataFrame

from include.glue.columns import as_athena
from include.glue.storage import join_uri
from include.workloads import Workload
from include.workloads.schema import PARTITION_COLUMN, processed_columns


def write_days(
    frame: DataFrame,
    workload: Workload,
    event_type: str,
    days: Sequence[date],
    staging: str,
    written: Mapping[str, int],
) -> None:
    """Writes one sorted Parquet file per day to ``<staging>/<event_type>/event_date=D/``.

    A day without rows gets an empty file with the columns.

    Args:
        frame: Columns ``event_date`` and those of ``processed_columns``, besides others.
        workload: The workload.
        event_type: The event type.
        days: All days of the run.
        staging: URI of the run's staging prefix.
        written: The number of rows by day.
    """
    columns = [as_athena(name, kind) for name, kind in processed_columns(workload, event_type)]
    partition = PARTITION_COLUMN[0]
    target = join_uri(staging, event_type)
    rows = frame.select(*columns, partition)
    if any(written.values()):
        by_day = rows.repartition(partition).sortWithinPartitions(partition, "key", "known_at", "arrived_at")
        by_day.write.partitionBy(partition).mode("overwrite").parquet(target)
    for day in days:
        if not written[day.isoformat()]:
            empty = rows.sparkSession.createDataFrame([], rows.drop(partition).schema)
            empty.coalesce(1).write.mode("overwrite").parquet(join_uri(target, f"{partition}={day}"))


def write_quarantine(rows: DataFrame, target: str, any_rows: bool) -> None:
    """Writes refused rows as gzip JSON lines.

    Args:
        rows: The rows, with their reason.
        target: URI of the prefix.
        any_rows: Whether there are any; without rows, nothing is written.
    """
    if any_rows:
        rows.coalesce(1).write.mode("overwrite").option("compression", "gzip").json(target)
