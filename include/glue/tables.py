"""Reads the reference tables of a run: to look rows up if they are few, else for Spark to join."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from include.glue.lookup import Lookup, make_lookup, versions_by_key
from include.glue.reading import lines
from include.glue.records import ParsedTableRow, parse_table_row
from include.glue.report import TransformReport
from include.glue.storage import join_uri
from include.glue.writing import RefusedRows
from include.workloads import Workload

log = logging.getLogger("nightjar.transform")
QUARANTINE_FILE = "rows"


class TableRows(NamedTuple):
    """The versions of a table's rows: good ones and refused ones."""

    good: list[ParsedTableRow]
    refused: list[ParsedTableRow]


def read_tables(workload: Workload, uris: Mapping[str, Sequence[str]], limit: int) -> dict[str, TableRows] | None:
    """Reads the tables that the workload joins.

    Args:
        workload: The workload.
        uris: Table → its raw objects.
        limit: How many versions there may be, in all tables together.

    Returns:
        Table → its rows; None if there are more.
    """
    found: dict[str, TableRows] = {}
    read = 0
    for name in joined_tables(workload):
        rows = found[name] = TableRows([], [])
        for line in lines(uris[name]):
            row = parse_table_row(line, workload.tables[name], workload.clock)
            (rows.good if row.reason is None else rows.refused).append(row)
            read += 1
            if read > limit:
                return None
    return found


def make_lookups(
    workload: Workload, tables: Mapping[str, TableRows], report: TransformReport, quarantine: str
) -> list[Lookup]:
    """Counts the rows, writes refused ones to the quarantine, and prepares the joins, in their order."""
    versions = {}
    for name, rows in tables.items():
        report.count_table(name, len(rows.good) + len(rows.refused), len(rows.refused))
        refused = RefusedRows()
        refused.add(row._asdict() for row in rows.refused)
        refused.write(join_uri(quarantine, "tables", name), QUARANTINE_FILE)
        log.info("read the table %s: %s", name, report.table_counts(name))
        versions[name] = versions_by_key(rows.good, workload.tables[name])
    return [make_lookup(versions[join.table], workload.tables[join.table], join) for join in workload.joins]


def joined_tables(workload: Workload) -> list[str]:
    """Returns the tables that the workload joins, each once."""
    return list(dict.fromkeys(join.table for join in workload.joins))
