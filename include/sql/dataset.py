"""The data set of a workload as it was known at a cut-off: its query, its digest, its UNLOAD."""

from __future__ import annotations

from datetime import datetime, timedelta

from include.lake.days import utc_date
from include.lake.layout import table_name
from include.sql.splits import split_bounds
from include.sql.text import literal, quoted, row_digest, timestamp
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


def dataset_select(workload: Workload, database: str, cutoff: datetime) -> str:
    """The rows: for each key the newest feature version and the newest label version known before the cut-off, and ``split``
    last.

    Keys without a label known by then are left out. Reads the event_date partitions of the window only; a label is taken to
    happen no earlier than its feature event. Raises ValueError for a cut-off that is not midnight UTC.
    """
    bounds = split_bounds(workload.dataset, cutoff)
    first, test = bounds["train"][0], bounds["test"][0]
    validation = bounds["validation"][0]
    columns = ", ".join(f"f.{quoted(name)}" for name, _ in [*feature_columns(workload), *request_columns(workload)])
    features = _newest(workload, workload.feature_event, database, first, cutoff)
    labels = _newest(workload, workload.label.event, database, first, cutoff)
    return f"""\
with features as (
{features}
),
labels as (
  select "key", cast(({workload.label.expression}) as integer) as "label"
  from (
{labels}
  )
)
select f."key", f."event_time", l."label", {columns},
  case
    when f."event_time" >= {timestamp(test)} then 'test'
    when f."event_time" >= {timestamp(validation)} then 'validation'
    else 'train'
  end as "split"
from features f
join labels l on l."key" = f."key"
where l."label" is not null
  and f."event_time" >= {timestamp(first)}
  and f."event_time" < {timestamp(cutoff)}"""


def dataset_query(workload: Workload, database: str, cutoff: datetime, location: str) -> str:
    """UNLOAD of the data set as Parquet to ``location`` (an s3:// prefix that holds nothing yet), partitioned by split."""
    return f"""\
UNLOAD (
select * from (
{dataset_select(workload, database, cutoff)}
)
)
TO {literal(location)}
WITH (format = 'PARQUET', compression = 'SNAPPY', partitioned_by = ARRAY['split'])"""


def dataset_digest_query(workload: Workload, database: str, cutoff: datetime) -> str:
    """For each split: row_count, positives, first_event, last_event (timestamps) and an order-independent digest (decimal
    text).
    """
    return f"""\
select "split",
  count(*) as row_count,
  sum("label") as positives,
  min("event_time") as first_event,
  max("event_time") as last_event,
  cast(sum({row_digest(dataset_columns(workload))}) as varchar) as digest
from (
{dataset_select(workload, database, cutoff)}
)
group by "split"
order by "split\""""


def _newest(workload: Workload, event_type: str, database: str, first: datetime, cutoff: datetime) -> str:
    columns = [name for name, _ in processed_columns(workload, event_type)]
    # known_at decides. The rest only makes the choice between equals the same every time.
    said = [name for name in columns[len(COMMON_COLUMNS) :] if not is_feature_column(name)]
    ties = ["arrived_at", "recorded_at", "event_time", *said]
    order = ", ".join(f"{quoted(name)} desc" for name in ["known_at", *ties])
    days = quoted(PARTITION_COLUMN[0])
    last = utc_date(cutoff - timedelta(milliseconds=1))
    return f"""\
  select *
  from (
    select {", ".join(quoted(name) for name in columns)},
      row_number() over (partition by "key" order by {order}) as "_version"
    from {quoted(database)}.{quoted(table_name(workload.name, event_type))}
    where {days} between {literal(utc_date(first).isoformat())} and {literal(last.isoformat())}
      and "known_at" < {timestamp(cutoff)}
  )
  where "_version" = 1"""
