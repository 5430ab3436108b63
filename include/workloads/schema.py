"""The columns of processed tables and data sets, as Glue catalog (Athena) types. Pure functions of the workload."""

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
# The UTC date of event_time, as text: partition values are compared as they are spelled in S3.
PARTITION_COLUMN = ("event_date", "string")
RESERVED_NAMES = frozenset({name for name, _ in COMMON_COLUMNS} | {PARTITION_COLUMN[0], "label", "split"})

Columns = list[tuple[str, str]]


def processed_columns(workload: Workload, event_type: str) -> Columns:
    """(name, Athena type) of each column in the files of one processed event type; the partition column is not among them."""
    event = workload.events[event_type]
    if event.role == "features":
        return [*COMMON_COLUMNS, *request_columns(workload), *feature_columns(workload)]
    return [*COMMON_COLUMNS, *((name, ATHENA_TYPES[spec.type]) for name, spec in event.fields.items())]


def request_columns(workload: Workload) -> Columns:
    """The columns of the request record."""
    return [(name, ATHENA_TYPES[spec.type]) for name, spec in workload.request.items()]


def feature_columns(workload: Workload) -> Columns:
    """``f_<feature>``, in the order of FEATURES."""
    return [(f"{FEATURE_PREFIX}{name}", FEATURE_TYPES[kind]) for name, kind in workload.features.items()]


def dataset_columns(workload: Workload) -> Columns:
    """The columns of a data set's files; ``split`` is its partition column."""
    return [
        ("key", "string"),
        ("event_time", "timestamp"),
        ("label", "int"),
        *feature_columns(workload),
        *request_columns(workload),
    ]
