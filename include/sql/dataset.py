"""The queries of a workload's data set as it was known at a cut-off: the rows, their UNLOAD to S3, their digest."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from include.lake.days import utc_date
from include.lake.resources import table_name
from include.sql.rendering import render
from include.sql.splits import split_bounds
from include.workloads.declaration import Workload
from include.workloads.schema import (
    COMMON_COLUMNS,
    PARTITION_COLUMN,
    dataset_columns,
    feature_columns,
    is_feature_column,
    processed_columns,
    request_columns,
)

# include.lake.known.version_time in SQL.
VERSION_TIME = {"recorded_at": 'least("recorded_at", "arrived_at")', "arrived_at": '"arrived_at"'}


def dataset_select(workload: Workload, database: str, cutoff: datetime, without: Collection[str] = ()) -> str:
    """Selects the rows of the data set, with the column ``split`` last.

    Args:
        workload: The workload.
        database: Glue catalog database of the published tables.
        cutoff: The instant at which the data set is taken; midnight UTC.
        without: Days (ISO) that are left out, though the catalog may have an older publication of them.

    Raises:
        ValueError: The cut-off is not midnight UTC.
    """
    return render("dataset_select.sql", **_select_values(workload, database, cutoff, without))


def dataset_unload(
    workload: Workload, database: str, cutoff: datetime, location: str, without: Collection[str] = ()
) -> str:
    """Writes the data set as Parquet below ``location``, an ``s3://`` prefix without objects, partitioned by split."""
    return render("dataset_unload.sql", location=location, **_select_values(workload, database, cutoff, without))


def dataset_digest(workload: Workload, database: str, cutoff: datetime, without: Collection[str] = ()) -> str:
    """Summarises each split of the data set.

    The result columns are split, row_count, positives, first_event, last_event (timestamps) and digest. The digest is a
    decimal number as text; it does not depend on the order of rows.
    """
    values = _select_values(workload, database, cutoff, without)
    return render("dataset_digest.sql", typed_columns=dataset_columns(workload), **values)


def _select_values(workload: Workload, database: str, cutoff: datetime, without: Collection[str]) -> dict[str, object]:
    """The values that ``dataset_select.sql`` uses."""
    bounds = split_bounds(workload.dataset, cutoff)
    train_start = bounds["train"][0]
    features, labels = _columns(workload, workload.feature_event), _columns(workload, workload.label.event)
    return {
        "database": database,
        "cutoff": cutoff,
        "train_start": train_start,
        "validation_start": bounds["validation"][0],
        "test_start": bounds["test"][0],
        "partition_column": PARTITION_COLUMN[0],
        "days_left_out": sorted(without),
        "first_day": utc_date(train_start).isoformat(),
        "version_time": VERSION_TIME[workload.clock],
        "last_day": utc_date(cutoff - timedelta(milliseconds=1)).isoformat(),
        "feature_table": table_name(workload.name, workload.feature_event),
        "feature_columns": features,
        "feature_tie_breakers": _tie_breakers(features),
        "label_table": table_name(workload.name, workload.label.event),
        "label_columns": labels,
        "label_tie_breakers": _tie_breakers(labels),
        "label_expression": workload.label.expression,
        "dataset_columns": [name for name, _ in (*feature_columns(workload), *request_columns(workload))],
    }


def _columns(workload: Workload, event_type: str) -> list[str]:
    return [name for name, _ in processed_columns(workload, event_type)]


def _tie_breakers(columns: list[str]) -> list[str]:
    payload = [name for name in columns[len(COMMON_COLUMNS) :] if not is_feature_column(name)]
    return ["known_at", "arrived_at", "recorded_at", "event_time", *payload]
