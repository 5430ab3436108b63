"""Plans a query: finds its tables in the catalog, translates it, and makes DuckDB views of the tables."""

from __future__ import annotations

import base64
import json
import re

import duckdb
from sqlglot import exp

from infra.localcloud.athena.aws import Partition, Table
from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.parquet_files import quoted
from infra.localcloud.athena.sources import Sources, columns_of, partition_rows
from infra.localcloud.athena.translator import dialect, macros
from infra.localcloud.athena.translator.fragments import text
from infra.localcloud.athena.translator.scope import Scope

_VIEW = re.compile(r"/\* Presto View: (\S+) \*/")
_SIMPLE = (
    exp.And,
    exp.Or,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.In,
    exp.Between,
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Cast,
    exp.DataType,
    exp.Paren,
    exp.Tuple,
)


def encode_view(sql: str, columns: list[tuple[str, str]], database: str) -> str:
    """Writes the text of a view as Athena keeps it in Glue."""
    body = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": name, "type": kind} for name, kind in columns],
    }
    return f"/* Presto View: {base64.b64encode(json.dumps(body).encode()).decode()} */"


class Planner:
    """Plans one query.

    The tables are declared empty in a second connection, in which the translator finds types.
    """

    def __init__(self, runner: duckdb.DuckDBPyConnection, sources: Sources, database: str) -> None:
        self._runner = runner
        self._sources = sources
        self._database = database
        self._types = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False, "threads": 1})
        macros.install(self._types)
        self._types.execute("SET TimeZone = 'UTC'")
        self._depth = 0

    def close(self) -> None:
        """Closes the connection of types."""
        self._types.close()

    def plan(self, sql: str, *, fetch: bool = True) -> str:
        """Translates the query and makes the views that it reads.

        Args:
            sql: The query.
            fetch: Whether files are downloaded. CREATE VIEW needs only types.

        Returns:
            The DuckDB text.

        Raises:
            QueryError: The query fails on Athena too.
            UnsupportedError: The local cloud cannot run it faithfully.
        """
        return self._plan(dialect.parse(sql), self._database, fetch)

    def describe(self, duckdb_sql: str) -> list[tuple[str, str]]:
        """Returns names and DuckDB types of a translated query's columns; reads no data.

        Raises:
            QueryError: The query is wrong.
        """
        try:
            return [(str(row[0]), str(row[1])) for row in self._types.execute(f"DESCRIBE {duckdb_sql}").fetchall()]
        except duckdb.Error as error:
            raise QueryError(f"SYNTAX_ERROR: {first_line(error)}") from None

    def _plan(self, tree: exp.Expr, database: str, fetch: bool) -> str:
        references: dict[tuple[str, str], list[exp.Table]] = {}
        ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        for node in tree.find_all(exp.Table):
            if not isinstance(node.this, exp.Identifier) or (not node.db and node.name.lower() in ctes):
                continue
            name = (node.db or database).lower(), node.name.lower()
            if not node.alias:
                node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name.lower(), quoted=True)))
            node.set("db", exp.to_identifier(name[0], quoted=True))
            node.set("this", exp.to_identifier(name[1], quoted=True))
            references.setdefault(name, []).append(node)
        for name, nodes in references.items():
            self._declare(name, nodes, fetch)
        return dialect.translate(tree, self._types)

    def _declare(self, name: tuple[str, str], nodes: list[exp.Table], fetch: bool) -> None:
        if name in self._sources.made:
            return
        table = self._sources.aws.existing_table(*name)
        schema = f"CREATE SCHEMA IF NOT EXISTS {quoted(name[0])}"
        self._types.execute(schema)
        self._runner.execute(schema)
        if table.description.get("TableType") == "VIRTUAL_VIEW":
            self._view(table, fetch)
        else:
            columns = ", ".join(f"{quoted(column)} {found}" for column, found in columns_of(table))
            self._types.execute(f"CREATE TABLE {quoted(name[0])}.{quoted(name[1])} ({columns})")
            if fetch:
                partitions = self._sources.aws.partitions(table) if table.partition_keys else None
                if partitions and len(nodes) == 1:
                    partitions = self._pruned(table, partitions, nodes[0])
                self._sources.view(self._runner, table, partitions)
        self._sources.made.add(name)

    def _view(self, table: Table, fetch: bool) -> None:
        matched = _VIEW.search(str(table.description.get("ViewOriginalText")))
        if not matched:
            raise QueryError(f"INVALID_VIEW: {table.database}.{table.name} is not a view that Athena made")
        self._depth += 1
        if self._depth > 20:
            raise QueryError(f"INVALID_VIEW: {table.database}.{table.name} is nested too deeply")
        body = json.loads(base64.b64decode(matched[1]))
        sql = self._plan(dialect.parse(body["originalSql"]), body.get("schema") or table.database, fetch)
        for connection in (self._types, self._runner) if fetch else (self._types,):
            connection.execute(f"CREATE VIEW {quoted(table.database)}.{quoted(table.name)} AS {sql}")

    def _pruned(self, table: Table, partitions: list[Partition], node: exp.Table) -> list[Partition]:
        """The partitions that pass the conditions on partition keys alone."""
        conditions = self._conditions(table, node)
        if not conditions:
            return partitions
        keys = columns_of(table)[len(table.columns) :]
        names = ", ".join(quoted(name) for name, _ in keys)
        rows = partition_rows(partitions, keys)
        source = f"(VALUES {rows}) AS {quoted(node.alias_or_name)}(nj_partition, {names})"
        scope = Scope(self._types, sources=[source])
        where = " AND ".join(f"({text(dialect.condition(condition, scope))})" for condition in conditions)
        kept = {row[0] for row in self._types.execute(f"SELECT nj_partition FROM {source} WHERE {where}").fetchall()}
        return [one for index, one in enumerate(partitions) if index in kept]

    @staticmethod
    def _conditions(table: Table, node: exp.Table) -> list[exp.Expr]:
        """The conditions of the WHERE clause that only this table's partition keys decide."""
        select = node.parent_select
        if not isinstance(select, exp.Select) or not select.args.get("where"):
            return []
        joined = bool(select.args.get("joins"))
        # A condition does not limit the rows that an outer join must read on its nullable side.
        if any(join.args.get("side") for join in select.args.get("joins") or []):
            return []
        keys = {name.lower() for name, _ in table.partition_keys}
        alias = node.alias_or_name.lower()
        where = select.args["where"].this
        found: list[exp.Expr] = []
        for condition in where.flatten() if isinstance(where, exp.And) else [where]:
            columns = list(condition.find_all(exp.Column))
            mine = all(
                c.name.lower() in keys and ((c.table or "").lower() == alias or (not c.table and not joined))
                for c in columns
            )
            if columns and mine and all(isinstance(part, _SIMPLE) for part in condition.walk()):
                found.append(condition.copy())
        return found


def first_line(error: Exception) -> str:
    """Returns DuckDB's reason without the excerpt of the query below it."""
    return str(error).split("\n\n")[0].split("\nLINE")[0].strip()
