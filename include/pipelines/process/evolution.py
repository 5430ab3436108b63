"""Schema evolution: what a declaration may change of the columns that are published (docs/adr/0035-late-data.md).

A published file keeps its columns. A column that it does not have is read as null, so a new column must be nullable. A
column that is declared no longer stays in the catalog's table, and is null in new days. A type never changes: a query
over days of both types would fail, or read other values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from include.errors import RefusedError
from include.lake import resources
from include.pipelines.protocols import PublishedColumns
from include.workloads import Workload, schema
from include.workloads.schema import Columns


def evolved_columns(declared: Columns, published: Sequence[tuple[str, str]] | None) -> Columns:
    """Returns the columns of a table: those that it has, in their order, and then the new ones.

    The order stays, because Athena compares the columns of a partition with those of the table by their position.

    Args:
        declared: The columns that the workload declares now.
        published: Those of the catalog's table; None if there is none.
    """
    kept = list(published or ())
    names = {name for name, _ in kept}
    return kept + [column for column in declared if column[0] not in names]


def schema_problems(workload: Workload, catalog: PublishedColumns) -> Iterator[str]:
    """Finds the columns whose declaration does not fit what is published.

    Args:
        workload: The workload.
        catalog: The catalog database.

    Yields:
        For each column what is wrong, with its place in the workload's folder, and what to do.
    """
    for event in workload.events:
        table = resources.table_name(workload.name, event)
        columns = catalog.columns(table)
        if columns is None:
            continue
        published = dict(columns)
        for name, kind in schema.processed_columns(workload, event):
            place = f"include/workloads/{workload.name}/{_declared_at(workload, event, name)}"
            if name not in published and not _may_be_null(workload, event, name):
                yield (
                    f"{place}: is new and not nullable, but the published days of {table} do not have it. "
                    "Write nullable: true"
                )
            elif name in published and published[name] != kind:
                yield (
                    f"{place}: is {kind}, but {published[name]} in the published days of {table}. "
                    "Give the field another name, or its old type"
                )


def require_compatible_schema(workload: Workload, catalog: PublishedColumns) -> None:
    """Checks the declaration against what is published, before anything runs.

    Raises:
        RefusedError: A column's type changed, or a new one may not be null.
    """
    if problems := list(schema_problems(workload, catalog)):
        raise RefusedError("The declaration does not fit the published days:\n" + "\n".join(problems))


def _may_be_null(workload: Workload, event: str, column: str) -> bool:
    """Whether a column may be null: a nullable field, a joined one, or a feature, which is computed from them."""
    field = workload.events[event].fields.get(column)
    return field is None or field.nullable


def _declared_at(workload: Workload, event: str, column: str) -> str:
    """The file and the field in it that declare a column."""
    if column in workload.events[event].fields:
        return f"workload.yaml: events.{event}.schema.{column}"
    for join in workload.joins:
        name = column.removeprefix(join.prefix)
        if column.startswith(join.prefix) and name in join.fields:
            return f"workload.yaml: tables.{join.table}.schema.{name}"
    return f"features.py: {column}"
