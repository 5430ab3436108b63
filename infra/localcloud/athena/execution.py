"""Executes one statement, from its text to its result. All that it opens is its own and is closed with it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from infra.localcloud.athena import ddl, statements, writing
from infra.localcloud.athena.aws import CallerAws, Table
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.planning import Planner, first_line
from infra.localcloud.athena.results import Result, text_result
from infra.localcloud.athena.sources import Sources, columns_of
from infra.localcloud.athena.translator import macros
from infra.localcloud.athena.translator.types import duckdb_to_hive, split_top
from infra.localcloud.athena.values import athena_text
from infra.localcloud.athena.views import encode_view

MEMORY_LIMIT = "1GB"
THREADS = 2
_FETCH = 10_000
# Receives the connection, the DuckDB text of a planned query, and its columns (name, DuckDB type).
PlannedQuery = Callable[[duckdb.DuckDBPyConnection, str, list[tuple[str, str]]], Result]


@dataclass
class StatementExecution:
    """A statement and its surroundings.

    Attributes:
        query_id: The query's id; files that it writes have it in their names.
        sql: The statement.
        database: The database of names without one.
        result_location: The S3 folder of results, with a slash at its end.
        aws: S3 and the catalog with the caller's keys.
        folder: A local folder of its own, deleted at its end.
        check: Raises QueryCancelledError or QueryError once the query must stop.
        opened: Receives the connection in which the query will run, so that a stop can interrupt it.
        prepared: The prepared statements of the work group by name.
        prepare: Keeps a prepared statement, or deletes it if its text is None.
        scanned: The bytes of the files that it read.
    """

    query_id: str
    sql: str
    database: str
    result_location: str
    aws: CallerAws
    folder: Path
    check: Callable[[], None]
    opened: Callable[[duckdb.DuckDBPyConnection], None]
    prepared: Mapping[str, str]
    prepare: Callable[[str, str | None], None]
    scanned: int = 0

    def run(self) -> Result:
        """Executes the statement.

        Raises:
            QueryError: It fails, or the local cloud cannot run it.
            QueryCancelledError: It was stopped.
        """
        sql = self._expanded(statements.bare(self.sql))
        word = statements.first_word(sql)
        if word in ("PREPARE", "DEALLOCATE"):
            return self._keep(sql)
        if word in ("SELECT", "WITH", "VALUES", "TABLE"):
            return self._query(sql)
        if word == "UNLOAD":
            return self._unload(statements.unload(sql))
        if word == "INSERT":
            return self._insert(statements.insert(sql))
        if word == "CREATE" and (write := statements.as_select(sql)):
            return self._create_as(write)
        if view := statements.view(sql):
            return self._create_view(view)
        return ddl.run(sql, self.aws, self.database)

    # --- prepared statements -----------------------------------------------------------------------------------

    def _expanded(self, sql: str) -> str:
        """The prepared statement that EXECUTE names, with its parameters; any other statement as it is."""
        matched = re.fullmatch(r"EXECUTE\s+(\w+)(?:\s+USING\s+(.*))?", sql, re.IGNORECASE | re.DOTALL)
        if not matched:
            return sql
        values = split_top(matched[2]) if matched[2] else []
        return statements.bare(statements.with_parameters(self._prepared(matched[1]), values))

    def _keep(self, sql: str) -> Result:
        if matched := re.fullmatch(r"PREPARE\s+(\w+)\s+FROM\s+(.*)", sql, re.IGNORECASE | re.DOTALL):
            self.prepare(matched[1], matched[2])
        elif matched := re.fullmatch(r"DEALLOCATE\s+PREPARE\s+(\w+)", sql, re.IGNORECASE):
            self._prepared(matched[1])
            self.prepare(matched[1], None)
        else:
            raise QueryError("SYNTAX_ERROR: write PREPARE name FROM statement, or DEALLOCATE PREPARE name")
        return text_result()

    def _prepared(self, name: str) -> str:
        if name not in self.prepared:
            raise QueryError(f"NOT_FOUND: Prepared statement {name} was not found")
        return self.prepared[name]

    # --- queries -----------------------------------------------------------------------------------------------

    def _with_plan(self, sql: str, then: PlannedQuery, *, fetch: bool = True) -> Result:
        """Plans the query and calls ``then``; DuckDB's errors become the query's."""
        self.folder.mkdir(parents=True, exist_ok=True)
        runner = duckdb.connect(
            ":memory:",
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
                "memory_limit": MEMORY_LIMIT,
                "threads": THREADS,
                "temp_directory": str(self.folder / "spill"),
            },
        )
        try:
            macros.install(runner)
            runner.execute("SET TimeZone = 'UTC'")
            self.opened(runner)
            sources = Sources(self.aws, self.folder / "data", self.check)
            planner = Planner(runner, sources, self.database)
            try:
                text = planner.plan(sql, fetch=fetch)
                columns = planner.describe(text)
            finally:
                planner.close()
                self.scanned = sources.scanned
            self.check()
            return then(runner, text, columns)
        except duckdb.InterruptException:
            self.check()
            raise QueryError("Query timeout") from None
        except duckdb.Error as error:
            raise QueryError(_reason(error)) from None
        finally:
            runner.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _query(self, sql: str) -> Result:
        def read(runner: duckdb.DuckDBPyConnection, text: str, columns: list[tuple[str, str]]) -> Result:
            cursor = runner.execute(text)
            result = Result(columns)
            result.metadata()  # fails for a type that Athena cannot report, before any row is read
            kinds = [kind for _, kind in columns]
            while rows := cursor.fetchmany(_FETCH):
                self.check()
                result.rows += [
                    [athena_text(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows
                ]
            return result

        return self._with_plan(sql, read)

    # --- statements that write ---------------------------------------------------------------------------------

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
            done = writing.run(runner, self.aws, query, columns, target, self.check)
            if then:
                then(done, columns)
            manifest = f"{self.result_location}{self.query_id}-manifest.csv"
            self.aws.put(manifest, "".join(uri + "\n" for uri in done.uris).encode(), "text/csv")
            return Result([("rows", "BIGINT")], [], header=True, update_count=done.rows, manifest=manifest)

        return self._with_plan(write.query, put)

    def _target(self, location: str, compression: str, partitioned: list[str]) -> writing.Target:
        return writing.Target(location, compression, partitioned, self.folder / "written", self.query_id)

    def _unload(self, write: statements.Write) -> Result:
        compression, partitioned = writing.options(write)
        self.aws.require_empty(write.location)
        return self._write(write, self._target(write.location, compression, partitioned))

    def _create_as(self, write: statements.Write) -> Result:
        compression, partitioned = writing.options(write)
        database, name = statements.name_parts(write.name, self.database)
        if self.aws.table(database, name) is not None:
            if write.if_not_exists:
                return text_result()
            raise QueryError(f"TABLE_ALREADY_EXISTS: Table 'awsdatacatalog.{database}.{name}' already exists")
        location = str(write.properties.get("external_location") or f"{self.result_location}tables/{self.query_id}/")
        self.aws.require_empty(location)

        def register(done: writing.Written, columns: list[tuple[str, str]]) -> None:
            entry = writing.table_input(name, columns, done.location, compression, partitioned)
            self.aws.call("create_table", DatabaseName=database, TableInput=entry)
            self._add_partitions(self.aws.existing_table(database, name), done)

        return self._write(write, self._target(location, compression, partitioned), register)

    def _insert(self, write: statements.Write) -> Result:
        table = self.aws.existing_table(*statements.name_parts(write.name, self.database))
        serde = table.description["StorageDescriptor"].get("SerdeInfo", {}).get("SerializationLibrary", "")
        if "parquet" not in str(serde).lower():
            raise UnsupportedError(f"INSERT into {table.name}", "Only Parquet tables are written.")
        wanted = columns_of(table)
        names = ", ".join(f'"{name}"' for name, _ in wanted)
        target = self._target(table.location, "gzip", [name.lower() for name, _ in table.partition_keys])

        def put(runner: duckdb.DuckDBPyConnection, text: str, columns: list[tuple[str, str]]) -> Result:
            have, need = [kind for _, kind in columns], [kind for _, kind in wanted]
            if have != need:
                types = f"Table: [{', '.join(need)}], Query: [{', '.join(have)}]".lower()
                raise QueryError(f"TYPE_MISMATCH: insert query has mismatched column types: {types}")
            done = writing.run(
                runner, self.aws, f"SELECT * FROM ({text}) AS inserted({names})", wanted, target, self.check
            )
            self._add_partitions(table, done)
            return Result([("rows", "BIGINT")], [], header=True, update_count=done.rows)

        return self._with_plan(write.query, put)

    def _add_partitions(self, table: Table, done: writing.Written) -> None:
        existing = {partition.values for partition in self.aws.partitions(table)} if done.partitions else set()
        for values, location in done.partitions.items():
            if values not in existing:
                self.aws.add_partition(table, values, location)

    def _create_view(self, view: statements.View) -> Result:
        database, name = statements.name_parts(view.name, self.database)
        existing = self.aws.table(database, name)
        if existing is not None and not view.replace:
            raise QueryError(f"TABLE_ALREADY_EXISTS: '{database}.{name}' already exists. Write CREATE OR REPLACE VIEW")

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
                "ViewOriginalText": encode_view(view.query, kinds, self.database),
                "ViewExpandedText": "/* Presto View */",
            }
            action = "create_table" if existing is None else "update_table"
            self.aws.call(action, DatabaseName=database, TableInput=entry)
            return text_result()

        return self._with_plan(view.query, register, fetch=False)


def _reason(error: duckdb.Error) -> str:
    """DuckDB's error with Athena's name for errors of its kind."""
    line = first_line(error)
    if "Division by zero" in line:
        return "DIVISION_BY_ZERO: Division by zero"
    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        return f"SYNTAX_ERROR: {line}"
    if isinstance(error, duckdb.ConversionException):
        return f"INVALID_CAST_ARGUMENT: {line}"
    if isinstance(error, duckdb.OutOfRangeException):
        return f"NUMERIC_VALUE_OUT_OF_RANGE: {line}"
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"EXCEEDED_LOCAL_MEMORY_LIMIT: {line}"
    return f"GENERIC_USER_ERROR: {line}"
