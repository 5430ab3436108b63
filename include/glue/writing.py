"""Processed rows and refused rows to their prefixes. A prefix belongs to one run, so writing again replaces it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import DataFrame

from include.glue.columns import as_athena
from include.glue.storage import under
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
    """``<staging>/<event_type>/event_date=D/``, one sorted file a day; a day without rows gets an empty file with the columns."""
    columns = [as_athena(name, kind) for name, kind in processed_columns(workload, event_type)]
    partition = PARTITION_COLUMN[0]
    target = under(staging, event_type)
    rows = frame.select(*columns, partition)
    if any(written.values()):
        by_day = rows.repartition(partition).sortWithinPartitions(partition, "key", "known_at", "arrived_at")
        by_day.write.partitionBy(partition).mode("overwrite").parquet(target)
    for day in days:
        if not written[day.isoformat()]:
            empty = rows.sparkSession.createDataFrame([], rows.drop(partition).schema)
            empty.coalesce(1).write.mode("overwrite").parquet(under(target, f"{partition}={day}"))


def write_quarantine(rows: DataFrame, target: str, any_rows: bool) -> None:
    """Refused rows as gzip JSON lines, each with its reason; nothing when there are none."""
    if any_rows:
        rows.coalesce(1).write.mode("overwrite").option("compression", "gzip").json(target)
