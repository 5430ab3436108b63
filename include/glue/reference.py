"""Checks the reference rows of a transform run: how many were refused, and whether they were joined at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from include.glue.day_rows import DayRows
from include.glue.findings import Finding
from include.workloads import Workload

if TYPE_CHECKING:
    from include.glue.report import TableCounts


def audit_tables(workload: Workload, counts: Mapping[str, TableCounts]) -> list[Finding]:
    """Checks the versions that were read of each joined table.

    Args:
        workload: The workload.
        counts: The transform report's counts by table.
    """
    found = []
    for table in dict.fromkeys(join.table for join in workload.joins):
        suite, count = workload.table_suite(table), counts.get(table)
        if count is None:
            text = f"{table}: the transform's report does not have this table"
            found.append(Finding("critical", f"tables.{table}.report", text))
            continue
        read, refused = count["read"], count["quarantined"]
        if read - refused < suite.rows:
            text = f"{table}: {read - refused} reference rows can be joined, expected at least {suite.rows}"
            found.append(Finding("critical", f"tables.{table}.rows", text))
        share = refused / read if read else 0.0
        if share > suite.quarantine:
            text = f"{table}: {refused} of {read} reference rows quarantined ({share:.1%}), allowed are"
            found.append(Finding("critical", f"tables.{table}.quarantine", f"{text} {suite.quarantine:.1%}"))
    return found


def audit_joins(workload: Workload, day: DayRows) -> list[Finding]:
    """Checks that each join found a row for at least one row of the feature event.

    Args:
        workload: The workload.
        day: The rows of the feature event.
    """
    event, found = workload.feature_event, []
    for join in workload.joins:
        columns = [join.prefix + name for name in join.fields if join.prefix + name in day.names]
        if day.rows and columns and all(day.all_null(column) for column in columns):
            text = f"{event}: no row of {join.table} was joined to any of the {day.rows} rows"
            found.append(Finding("warning", f"{event}.join({join.table})", text))
    return found
