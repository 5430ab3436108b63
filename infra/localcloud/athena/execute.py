"""Runs one statement from its text to its result. Everything it opens is the statement's own and ends with it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from . import ddl, macros, statements, writing
from .aws import Aws, Table
from .errors import QueryFailed, Refused
from .planning import Planner, encode_view, first_line
from .results import Result, written
from .sources import Sources, columns_of
from .types import duckdb_to_hive

MEMORY_LIMIT = "1GB"
THREADS = 2
_FETCH = 10_000


class Cancelled(Exception):
    """StopQueryExecution came."""


@dataclass
class Job:
    """A statement and where it runs. ``check`` raises :class:`Cancelled` once it is stopped; ``opened`` is told the
    connection, so that a stop can interrupt it."""

    query_id: str
    sql: str
    database: str
    result_location: str
    aws: Aws
    folder: Path
    check: Callable[[], None]
    opened: Callable[[duckdb.DuckDBPyConnection], None]
    prepared: Mapping[str, str]
    prepare: Callable[[str, str | None], None]
    scanned: int = 0

    def run(self) -> Result:
        """The result; raises :class:`QueryFailed` or :class:`Cancelled`."""
        sql = self._prepared(statements.bare(self.sql))
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
        if matched := re.fullmatch(
            rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?VIEW\s+(?P<name>{ddl.NAME})\s+AS\s+(?P<query>.*)", sql, re.I | re.S
        ):
            return self._create_view(matched)
        return ddl.run(sql, self.aws, self.database)

    def _prepared(self, sql: str) -> str:
        if matched := re.fullmatch(r"EXECUTE\s+(\w+)(?:\s+USING\s+(.*))?", sql, re.I | re.S):
            if matched[1] not in self.prepared:
                raise QueryFailed(f"NOT_FOUND: Prepared statement {matched[1]} was not found")
            from .types import split_top

            values = split_top(matched[2]) if matched[2] else []
            return statements.bare(statements.with_parameters(self.prepared[matched[1]], values))
        return sql

    def _keep(self, sql: str) -> Result:
        if matched := re.fullmatch(r"PREPARE\s+(\w+)\s+FROM\s+(.*)", sql, re.I | re.S):
            self.prepare(matched[1], matched[2])
        elif matched := re.fullmatch(r"DEALLOCATE\s+PREPARE\s+(\w+)", sql, re.I):
            if matched[1] not in self.prepared:
                raise QueryFailed(f"NOT_FOUND: Prepared statement {matched[1]} was not found")
            self.prepare(matched[1], None)
        else:
            raise QueryFailed("SYNTAX_ERROR: write PREPARE name FROM statement, or DEALLOCATE PREPARE name")
        return ddl.text_result()

    # --- queries -----------------------------------------------------------------------------------------------

    def _with_plan(
        self,
        sql: str,
        then: Callable[[duckdb.DuckDBPyConnection, str, list[tuple[str, str]]], Result],
        *,
        fetch: bool = True,
    ) -> Result:
        """Plans the query and hands connection, DuckDB text and columns on; turns DuckDB's errors into the query's."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "memory_limit": MEMORY_LIMIT,
            "threads": THREADS,
            "temp_directory": str(self.folder / "spill"),
        }
        runner = duckdb.connect(":memory:", config=settings)
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
            raise QueryFailed("Query timeout") from None
        except duckdb.Error as error:
            raise QueryFailed(_reason(error)) from None
        finally:
            runner.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _query(self, sql: str) -> Result:
        def read(runner: duckdb.DuckDBPyConnection, text: str, columns: list[tuple[str, str]]) -> Result:
            cursor = runner.execute(text)
            result = Result(columns)
            result.metadata()
            kinds = [kind for _, kind in columns]
            while rows := cursor.fetchmany(_FETCH):
                self.check()
                result.rows += [[written(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows]
            return result

        return self._with_plan(sql, read)

    def _write(
        self,
        write: statements.Write,
        location: str,
        compression: str,
        partitioned: list[str],
        then: Callable[[writing.Written, list[tuple[str, str]]], None] | None = None,
    ) -> Result:
        def put(runner: duckdb.DuckDBPyConnection, text: str, columns: list[tuple[str, str]]) -> Result:
            writing.check_partitions(columns, partitioned)
            query = text if write.with_data else f"SELECT * FROM ({text}) WHERE false"
            done = writing.run(
                runner,
                self.aws,
                query,
                columns,
                location=location,
                compression=compression,
                partitioned=partitioned,
                work=self.folder / "written",
                query_id=self.query_id,
                check=self.check,
            )
            if then:
                then(done, columns)
            manifest = f"{self.result_location}{self.query_id}-manifest.csv"
            self.aws.put(manifest, "".join(uri + "\n" for uri in done.uris).encode(), "text/csv")
            return Result([("rows", "BIGINT")], [], header=True, update_count=done.rows, manifest=manifest)

        return self._with_plan(write.query, put)

    def _unload(self, write: statements.Write) -> Result:
        compression, partitioned = writing.options(write)
        self.aws.must_be_empty(write.location)
        return self._write(write, write.location, compression, partitioned)

    def _create_as(self, write: statements.Write) -> Result:
        compression, partitioned = writing.options(write)
        database, name = statements.name_parts(write.name, self.database)
        if self.aws.table(database, name) is not None:
            if write.if_not_exists:
                return ddl.text_result()
            raise QueryFailed(f"TABLE_ALREADY_EXISTS: Table 'awsdatacatalog.{database}.{name}' already exists")
        given = str(write.properties.get("external_location") or f"{self.result_location}tables/{self.query_id}/")
        self.aws.must_be_empty(given)

        def register(done: writing.Written, columns: list[tuple[str, str]]) -> None:
            hive = [{"Name": column.lower(), "Type": duckdb_to_hive(kind)} for column, kind in columns]
            own = hive[: len(hive) - len(partitioned)]
            entry = {
                "Name": name,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {
                    "EXTERNAL": "TRUE",
                    "has_encrypted_data": "false",
                    "parquet.compression": compression.upper(),
                },
                "PartitionKeys": hive[len(own) :],
                "StorageDescriptor": {"Columns": own, "Location": done.location, **writing.PARQUET},
            }
            self.aws.call("create_table", DatabaseName=database, TableInput=entry)
            self._add_partitions(self.aws.existing_table(database, name), done)

        return self._write(write, given, compression, partitioned, register)

    def _insert(self, write: statements.Write) -> Result:
        table = self.aws.existing_table(*statements.name_parts(write.name, self.database))
        if (
            "parquet"
            not in str(
                table.description["StorageDescriptor"].get("SerdeInfo", {}).get("SerializationLibrary", "")
            ).lower()
        ):
            raise Refused(f"INSERT into {table.name}", "Only Parquet tables are written.")
        wanted = columns_of(table)

        def matching(columns: list[tuple[str, str]]) -> str:
            if [kind for _, kind in columns] != [kind for _, kind in wanted]:
                have, need = ", ".join(kind for _, kind in columns), ", ".join(kind for _, kind in wanted)
                raise QueryFailed(
                    f"TYPE_MISMATCH: Insert query has mismatched column types: Table: [{need}], Query: [{have}]".lower().replace(
                        "type_mismatch", "TYPE_MISMATCH"
                    )
                )
            return ", ".join(f'"{name}"' for name, _ in wanted)

        def put(runner: duckdb.DuckDBPyConnection, text: str, columns: list[tuple[str, str]]) -> Result:
            names = matching(columns)
            done = writing.run(
                runner,
                self.aws,
                f"SELECT * FROM ({text}) AS inserted({names})",
                wanted,
                location=table.location,
                compression="gzip",
                partitioned=[name.lower() for name, _ in table.partition_keys],
                work=self.folder / "written",
                query_id=self.query_id,
                check=self.check,
            )
            self._add_partitions(table, done)
            return Result([("rows", "BIGINT")], [], header=True, update_count=done.rows)

        return self._with_plan(write.query, put)

    def _add_partitions(self, table: Table, done: writing.Written) -> None:
        there = {partition.values for partition in self.aws.partitions(table)} if done.partitions else set()
        for values, location in done.partitions.items():
            if values not in there:
                entry = ddl.partition_input(table, list(values), location)
                self.aws.call(
                    "create_partition", DatabaseName=table.database, TableName=table.name, PartitionInput=entry
                )

    def _create_view(self, matched: re.Match[str]) -> Result:
        database, name = statements.name_parts(matched["name"], self.database)
        there = self.aws.table(database, name)
        if there is not None and not matched["replace"]:
            raise QueryFailed(f"TABLE_ALREADY_EXISTS: '{database}.{name}' already exists. Write CREATE OR REPLACE VIEW")
        query = matched["query"]

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
                "ViewOriginalText": encode_view(query, kinds, self.database),
                "ViewExpandedText": "/* Presto View */",
            }
            self.aws.call("create_table" if there is None else "update_table", DatabaseName=database, TableInput=entry)
            return ddl.text_result()

        return self._with_plan(query, register, fetch=False)


def _reason(error: duckdb.Error) -> str:
    """DuckDB's error under the name that Athena has for such a one."""
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
