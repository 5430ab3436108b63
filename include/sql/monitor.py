"""The queries of a monitor run: what published days look like, and what the prediction log says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from include.lake.instants import format_instant
from include.lake.resources import table_name
from include.model.baseline import SCORE, Baseline, Column
from include.sql.dataset import VERSION_TIME
from include.sql.rendering import render
from include.workloads.declaration import Workload
from include.workloads.schema import PARTITION_COLUMN, PREDICTIONS_TABLE, feature_column, processed_columns

DELIVERY_DAYS = 1  # a prediction may be delivered on the day after it was made
_DELIVERED = "%Y/%m/%d"


@dataclass(frozen=True)
class LogWindow:
    """Which predictions are looked at.

    Attributes:
        start: The window of the requests that are compared with the baseline begins here.
        end: It ends here, exclusive; so does the period.
        period_start: Predictions from here on are joined with labels.
        version: The live version.
    """

    start: datetime
    end: datetime
    period_start: datetime
    version: int


def lake_counts(workload: Workload, database: str, days: Sequence[date], baseline: Baseline | None) -> str:
    """Counts the features and labels of published days.

    Args:
        workload: The workload.
        database: Glue catalog database of the published tables.
        days: The days, in order.
        baseline: Without one, only rows and labels are counted.
    """
    columns = _columns(baseline["features"] if baseline else {})
    for column in columns:
        column["column"] = feature_column(column["name"])
    wanted = ["key", "known_at", "arrived_at", *(column["column"] for column in columns)]
    return render("monitor_lake.sql", columns=columns, feature_columns=wanted, **_common(workload, database, days))


def log_counts(
    workload: Workload, database: str, days: Sequence[date], baseline: Baseline | None, window: LogWindow
) -> str:
    """Counts the requests of a window, and measures the predictions whose labels and rows published days have.

    Args:
        workload: The workload.
        database: Glue catalog database.
        days: Published days, in order; keys are looked for in all days from the first to the last.
        baseline: Without one, the requests are not counted.
        window: Which predictions.
    """
    fields = [
        {"name": name, "is_number": spec.type in ("integer", "number")}
        for name, spec in workload.request.items()
        if spec.type != "timestamp"
    ]
    columns = _columns({SCORE_COLUMN: baseline["score"], **baseline["fields"]} if baseline else {})
    for column in columns:
        column["type"] = "" if column["name"] == SCORE_COLUMN else "varchar"
    common = _common(workload, database, days)
    return render(
        "monitor_log.sql",
        columns=columns,
        compared=fields,
        given_feature=next(iter(workload.request_features), None),
        feature_columns=["key", "known_at", "arrived_at", *(field["name"] for field in fields)],
        prediction_table=table_name(workload.name, PREDICTIONS_TABLE),
        first_delivery=window.period_start.astimezone(UTC).strftime(_DELIVERED),
        last_delivery=(window.end.astimezone(UTC) + timedelta(days=DELIVERY_DAYS)).strftime(_DELIVERED),
        period_start=format_instant(window.period_start),
        window_start=format_instant(window.start),
        window_end=format_instant(window.end),
        live_version=str(window.version),
        **common,
    )


SCORE_COLUMN = f"_{SCORE}"
"""The name of the probabilities among the columns of the log; no field begins with an underscore."""


def column_names(columns: Mapping[str, Column]) -> list[str]:
    """Returns the columns in the order of their numbers in a query's result."""
    return [*columns]


def _columns(columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    found = []
    for index, name in enumerate(column_names(columns)):
        column = columns[name]
        others = [text for text in column.get("known", ()) if text not in column.get("values", ())]
        relation: dict[str, Any] = {"of": None, **column["relation"]} if "relation" in column else {}
        given = {"listed": column.get("values", []), "others": others, "relation": relation}
        found.append({**column, **given, "index": index, "name": name})
    return found


def _common(workload: Workload, database: str, days: Sequence[date]) -> dict[str, Any]:
    labels = [name for name, _ in processed_columns(workload, workload.label.event)]
    return {
        "database": database,
        "partition_column": PARTITION_COLUMN[0],
        "version_time": VERSION_TIME[workload.clock],
        "feature_table": table_name(workload.name, workload.feature_event),
        "label_table": table_name(workload.name, workload.label.event),
        "label_columns": labels,
        "label_expression": workload.label.expression,
        "first_day": days[0].isoformat(),
        "last_day": days[-1].isoformat(),
    }
