"""Executes one statement, from its text to its result. All that it opens is its own and is closed with it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from infra.localcloud.athena import ddl, statements
from infra.localcloud.athena.aws import CallerAws
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.failures import reason
from infra.localcloud.athena.planning import Planner
from infra.localcloud.athena.results import Result, text_result
from infra.localcloud.athena.sources import Sources
from infra.localcloud.athena.translator import macros
from infra.localcloud.athena.translator.printing import printable
from infra.localcloud.athena.types import split_top
from infra.localcloud.athena.values import athena_text
from infra.localcloud.athena.write_statements import PlannedQuery, WritingStatements

MEMORY_LIMIT = "1GB"
THREADS = 2
_FETCH = 10_000


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
        enforced: Whether the work group forbids other locations for tables that it creates.
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
    enforced: bool = False
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
        if word == "EXPLAIN":
            return self._explain(sql)
        writer = WritingStatements(self.with_plan, self.aws, self.database, self.result_location, self)
        return writer.run(word, sql) or ddl.run(sql, self.aws, self.database)

    # --- prepared statements -----------------------------------------------------------------------------------

    def _expanded(self, sql: str) -> str:
        """The prepared statement that EXECUTE names, with its parameters; any other statement as it is."""
        if matched := re.fullmatch(
            r"EXECUTE\s+IMMEDIATE\s+('(?:[^']|'')*')(?:\s+USING\s+(.*))?", sql, re.IGNORECASE | re.DOTALL
        ):
            values = split_top(matched[2]) if matched[2] else []
            return statements.bare(statements.with_parameters(matched[1][1:-1].replace("''", "'"), values))
        matched = re.fullmatch(r"EXECUTE\s+(\w+)(?:\s+USING\s+(.*))?", sql, re.IGNORECASE | re.DOTALL)
        if not matched:
            return sql
        values = split_top(matched[2]) if matched[2] else []
        return statements.bare(statements.with_parameters(self._prepared(matched[1]), values))

    def _explain(self, sql: str) -> Result:
        """Validates a query, or shows the plan of the engine that runs it here."""
        options, query = statements.explain(sql)
        kind, form = options.get("TYPE", "LOGICAL"), options.get("FORMAT", "TEXT")
        if statements.first_word(query) not in ("SELECT", "WITH", "VALUES", "TABLE"):
            raise UnsupportedError("EXPLAIN of a statement that is no query")
        if kind == "IO" or form != "TEXT" or "ANALYZE" in options:
            raise UnsupportedError(
                "EXPLAIN " + " ".join(["ANALYZE"] * ("ANALYZE" in options) + [f"(TYPE {kind}, FORMAT {form})"]),
                "It has EXPLAIN (TYPE VALIDATE), LOGICAL and DISTRIBUTED as text.",
            )
        runner = duckdb.connect(":memory:")
        planner = Planner(runner, Sources(self.aws, self.folder / "data", self.check), self.database)
        try:
            text = planner.plan(query, fetch=False)
            planner.describe(text)
            if kind == "VALIDATE":
                return Result([("Valid", "BOOLEAN")], [["true"]])
            lines = ["Plan of DuckDB, which executes queries on the local cloud; Trino's plan differs."]
            lines += planner.explain(text).splitlines()
            return Result([("Query Plan", "VARCHAR")], [[line] for line in lines])
        finally:
            planner.close()
            runner.close()

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

    def with_plan(self, sql: str, then: PlannedQuery, *, fetch: bool = True) -> Result:
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
            raise QueryError(reason(error)) from None
        finally:
            runner.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _query(self, sql: str) -> Result:
        def read(runner: duckdb.DuckDBPyConnection, text: str, columns: list[tuple[str, str]]) -> Result:
            written = printable(text, columns)
            macros.install_called(runner, written)
            cursor = runner.execute(written)
            result = Result(columns)
            result.metadata()  # fails for a type that Athena cannot report, before any row is read
            kinds = [kind for _, kind in columns]
            while rows := cursor.fetchmany(_FETCH):
                self.check()
                result.rows += [
                    [athena_text(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows
                ]
            return result

        return self.with_plan(sql, read)
