"""Executes UNLOAD, CREATE TABLE AS, INSERT INTO and CREATE VIEW."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import duckdb

from infra.localcloud.athena import projection, statements, writing
from infra.localcloud.athena.aws import CallerAws, Table
from infra.localcloud.athena.coercion import can_coerce
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.parquet_files import quoted
from infra.localcloud.athena.results import Result, text_result
from infra.localcloud.athena.sources import columns_of
from infra.localcloud.athena.translator.types import duckdb_to_hive, trino_type
from infra.localcloud.athena.views import encode_view

# Receives the connection, the DuckDB text of a planned query, and its columns (name, DuckDB type).
PlannedQuery = Callable[[duckdb.DuckDBPyConnection, str, list[tuple[str, str]]], Result]


class Planning(Protocol):
    """Plans a query and calls a function with the plan."""

    def __call__(self, sql: str, then: PlannedQuery, *, fetch: bool = True) -> Result:
        """Plans the query; DuckDB's errors become the query's."""


class Surroundings(Protocol):
    """What the statement's execution knows."""

    query_id: str
    folder: Path
    enforced: bool

    @property
    def check(self) -> Callable[[], None]:
        """Raises once the statement must stop."""


class WritingStatements:
    """Executes the statements that write rows or make views."""

    def __init__(
        self, with_plan: Planning, aws: CallerAws, database: str, result_location: str, around: Surroundings
    ) -> None:
        self._with_plan = with_plan
        self._aws = aws
        self._database = database
        self._result_location = result_location
        self._around = around

    def run(self, word: str, sql: str) -> Result | None:
        """Executes the statement; None if it is not of these kinds.

        Args:
            word: Its first word.
            sql: The statement.
        """
        if word == "UNLOAD":
            return self._unload(statements.unload(sql))
        if word == "INSERT":
            return self._insert(statements.insert(sql))
        if word == "CREATE" and (write := statements.as_select(sql)):
            return self._create_as(write)
        if view := statements.view(sql):
            return self._create_view(view)
        return None

    def _write(
        self,
        write: statements.Write,
        target: writing.Target,
        then: Callable[[writing.Written, list[tuple[str, str]]], None] | None = None,
    ) -> Result:
        """Writes the query's rows to the target, calls ``then``, and leaves a manifest."""

        def put(runner: duckdb.DuckDBPyConnection, text: str, columns: list[tuple[str, str]]) -> Result:
            writing.check_partitions(columns, target.partitioned)
            query = text if write.with_data else f"SELECT * FROM ({text}) WHERE false"
            done = writing.run(runner, self._aws, query, columns, target, self._around.check)
            if then:
                then(done, columns)
            return self._written(done)

        return self._with_plan(write.query, put)

    def _written(self, done: writing.Written) -> Result:
        manifest = f"{self._result_location}{self._around.query_id}-manifest.csv"
        self._aws.put(manifest, "".join(uri + "\n" for uri in done.uris).encode(), "text/csv")
        return Result([("rows", "BIGINT")], [], header=True, update_count=done.rows, manifest=manifest)

    def _target(self, location: str, layout: writing.Layout, partitioned: list[str]) -> writing.Target:
        return writing.Target(location, layout, partitioned, self._around.folder / "written", self._around.query_id)

    def _unload(self, write: statements.Write) -> Result:
        layout, partitioned = writing.options(write)
        self._aws.require_empty(write.location)
        return self._write(write, self._target(write.location, layout, partitioned))

    def _create_as(self, write: statements.Write) -> Result:
        layout, partitioned = writing.options(write)
        database, name = statements.name_parts(write.name, self._database)
        if self._aws.table(database, name) is not None:
            if write.if_not_exists:
                return text_result()
            raise QueryError(f"TABLE_ALREADY_EXISTS: line 1:1: Table 'awsdatacatalog.{database}.{name}' already exists")
        if not self._aws.has_database(database):
            raise QueryError(f"SCHEMA_NOT_FOUND: line 1:1: Schema '{database}' does not exist")
        given = write.properties.get("external_location")
        if given and self._around.enforced:
            raise QueryError(
                "The Create Table As Select query failed because it was submitted with an 'external_location' property"
                " to an Athena Workgroup that enforces a centralized output location for all queries. Please remove the"
                " 'external_location' property and resubmit the query."
            )
        location = str(given or f"{self._result_location}tables/{self._around.query_id}/")
        self._aws.require_empty(location)

        def register(done: writing.Written, columns: list[tuple[str, str]]) -> None:
            entry = writing.table_input(name, columns, done.location, layout, partitioned)
            self._aws.call("create_table", DatabaseName=database, TableInput=entry)
            self._add_partitions(self._aws.existing_table(database, name), done)

        return self._write(write, self._target(location, layout, partitioned), register)

    # --- INSERT ------------------------------------------------------------------------------------------------

    def _insert(self, write: statements.Write) -> Result:
        table = self._aws.existing_table(*statements.name_parts(write.name, self._database))
        if table.description.get("TableType") == "VIRTUAL_VIEW":
            raise QueryError("NOT_SUPPORTED: line 1:1: Inserting into views is not supported")
        layout = writing.layout_of(table)
        parameters = table.description.get("Parameters", {})
        if projection.is_projected(table) and parameters.get("storage.location.template"):
            raise UnsupportedError(f"INSERT into {table.name}, which has a storage.location.template")
        wanted = columns_of(table)
        listed = _listed(write.columns, [name for name, _ in wanted])
        target = self._target(table.location, layout, [name.lower() for name, _ in table.partition_keys])

        def put(runner: duckdb.DuckDBPyConnection, text: str, columns: list[tuple[str, str]]) -> Result:
            types = dict(wanted)
            _require_types([types[name] for name in listed], [kind for _, kind in columns])
            names = ", ".join(map(quoted, listed))
            values = ", ".join(
                f"CAST({quoted(name) if name in listed else 'NULL'} AS {kind}) AS {quoted(name)}"
                for name, kind in wanted
            )
            query = f"SELECT {values} FROM ({text}) AS inserted({names})"
            done = writing.run(runner, self._aws, query, wanted, target, self._around.check)
            self._add_partitions(table, done)
            return self._written(done)

        return self._with_plan(write.query, put)

    def _add_partitions(self, table: Table, done: writing.Written) -> None:
        if not done.partitions or projection.is_projected(table):
            return
        existing = {partition.values for partition in self._aws.partitions(table)}
        for values, location in done.partitions.items():
            if values not in existing:
                self._aws.add_partition(table, values, location)

    # --- views -------------------------------------------------------------------------------------------------

    def _create_view(self, view: statements.View) -> Result:
        database, name = statements.name_parts(view.name, self._database)
        existing = self._aws.table(database, name)
        if existing is not None and existing.description.get("TableType") != "VIRTUAL_VIEW":
            raise QueryError(
                f"TABLE_ALREADY_EXISTS: line 1:1: Table already exists: 'awsdatacatalog.{database}.{name}'"
            )
        if existing is not None and not view.replace:
            raise QueryError(f"TABLE_ALREADY_EXISTS: line 1:1: View already exists: 'awsdatacatalog.{database}.{name}'")

        def register(runner: duckdb.DuckDBPyConnection, text: str, columns: list[tuple[str, str]]) -> Result:
            kinds = [(column.lower(), duckdb_to_hive(kind)) for column, kind in columns]
            entry = {
                "Name": name,
                "TableType": "VIRTUAL_VIEW",
                "Parameters": {"presto_view": "true", "comment": "Presto View"},
                "PartitionKeys": [],
                "StorageDescriptor": {
                    "Columns": [{"Name": column, "Type": kind} for column, kind in kinds],
                    "Location": "",
                    "SerdeInfo": {},
                },
                "ViewOriginalText": encode_view(view.query, kinds, self._database),
                "ViewExpandedText": "/* Presto View */",
            }
            action = "create_table" if existing is None else "update_table"
            self._aws.call(action, DatabaseName=database, TableInput=entry)
            return text_result()

        return self._with_plan(view.query, register, fetch=False)


def _listed(given: tuple[str, ...], names: list[str]) -> list[str]:
    """The columns that an INSERT fills, in the order of its query."""
    for number, name in enumerate(given):
        if name not in names:
            raise QueryError(f"COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist in target table: {name}")
        if name in given[:number]:
            raise QueryError(f"DUPLICATE_COLUMN_NAME: line 1:1: Insert column name is specified more than once: {name}")
    return list(given) or names


def _require_types(need: list[str], have: list[str]) -> None:
    fits = len(need) == len(have) and all(can_coerce(own, wanted) for own, wanted in zip(have, need, strict=True))
    if not fits:
        raise QueryError(
            "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types:"
            f" Table: [{', '.join(map(trino_type, need))}], Query: [{', '.join(map(trino_type, have))}]"
        )
