"""The columns of processed tables and data sets, with their Athena (Glue catalog) types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.workloads.declaration import Workload

ATHENA_TYPES = {
    "string": "string",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "timestamp": "timestamp",
}
FEATURE_TYPES = {"number": "double", "category": "string"}
FEATURE_PREFIX = "f_"
# Every processed row begins with these. Times are UTC, to the millisecond.
COMMON_COLUMNS = (
    ("key", "string"),
    ("event_time", "timestamp"),
    ("known_at", "timestamp"),
    ("recorded_at", "timestamp"),
    ("arrived_at", "timestamp"),
)
# The UTC date of event_time. A string, because the catalog compares partition values as text.
PARTITION_COLUMN = ("event_date", "string")
# The table of the prediction log (infra/definitions/predictions.yaml), named like those of event types.
PREDICTIONS_TABLE = "predictions"
RESERVED_NAMES = frozenset({name for name, _ in COMMON_COLUMNS} | {PARTITION_COLUMN[0], "label", "split"})

# (name, Athena type) of each column, in order.
Columns = list[tuple[str, str]]


def feature_column(feature: str) -> str:
    """Returns the name of the column that holds a feature: ``f_<feature>``."""
    return FEATURE_PREFIX + feature


def is_feature_column(name: str) -> bool:
    """Whether a column of this name holds a feature."""
    return name.startswith(FEATURE_PREFIX)


def processed_columns(workload: Workload, event_type: str) -> Columns:
    """Returns the columns of the files of one event type's processed table; the partition column is not among them."""
    event = workload.events[event_type]
    if event.role == "features":
        return [*COMMON_COLUMNS, *request_columns(workload), *feature_columns(workload)]
    return [*COMMON_COLUMNS, *((name, ATHENA_TYPES[spec.type]) for name, spec in event.fields.items())]


def request_columns(workload: Workload) -> Columns:
    """Returns the columns of the request record."""
    return [(name, ATHENA_TYPES[spec.type]) for name, spec in workload.request.items()]


def feature_columns(workload: Workload) -> Columns:
    """Returns the columns of the features, in the order of FEATURES."""
    return [(feature_column(name), FEATURE_TYPES[kind]) for name, kind in workload.features.items()]


def dataset_columns(workload: Workload) -> Columns:
    """Returns the columns of a data set's files; the partition column ``split`` is not among them."""
    return [
        ("key", "string"),
        ("event_time", "timestamp"),
        ("label", "int"),
        *feature_columns(workload),
        *request_columns(workload),
    ]
