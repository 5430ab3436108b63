"""Plans a query: finds its tables in the catalog, translates it, and makes DuckDB views of the tables."""

from __future__ import annotations

import duckdb
from sqlglot import exp

from infra.localcloud.athena import hidden_columns, metadata_tables, projection
from infra.localcloud.athena.aws import Partition, Table
from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.failures import reason
from infra.localcloud.athena.parquet_files import quoted
from infra.localcloud.athena.positions import located, position
from infra.localcloud.athena.sources import HIDDEN, Sources, columns_of, format_of, partition_rows
from infra.localcloud.athena.translator import dialect, macros
from infra.localcloud.athena.translator.fragments import text
from infra.localcloud.athena.translator.scope import Scope
from infra.localcloud.athena.views import decode_view

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


class Planner:
    """Plans one query.

    The tables are declared empty in a second connection, in which the translator finds types.
    """

    def __init__(self, runner: duckdb.DuckDBPyConnection, sources: Sources, database: str) -> None:
        self._runner = runner
        self._sources = sources
        self._database = database
        self._types = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False, "threads": 1})
        self._types.execute("SET TimeZone = 'UTC'")
        self._types.execute("SET python_enable_replacements = false")
        self._columns: dict[tuple[str, str], list[str]] = {}
        self._tree: exp.Expr | None = None
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
        self._tree = dialect.parse(sql)
        text = self._plan(self._tree, self._database, fetch)
        macros.install_called(self._runner, text)
        return text

    def explain(self, duckdb_sql: str) -> str:
        """Returns DuckDB's plan of a translated query over empty tables."""
        return str(self._types.execute(f"EXPLAIN {duckdb_sql}").fetchall()[0][1])

    def describe(self, duckdb_sql: str) -> list[tuple[str, str]]:
        """Returns names and DuckDB types of a translated query's columns; reads no data.

        Raises:
            QueryError: The query is wrong.
        """
        macros.install_called(self._types, duckdb_sql)
        try:
            return [(str(row[0]), str(row[1])) for row in self._types.execute(f"DESCRIBE {duckdb_sql}").fetchall()]
        except duckdb.Error as error:
            raise located(QueryError(reason(error)), self._tree) from None

    def _plan(self, tree: exp.Expr, database: str, fetch: bool) -> str:
        references: dict[tuple[str, str], list[exp.Table]] = {}
        ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        for node in tree.find_all(exp.Table):
            if not isinstance(node.this, exp.Identifier) or (not node.db and node.name.lower() in ctes):
                continue
            if node.catalog and node.catalog.lower() != "awsdatacatalog":
                raise QueryError(
                    f"CATALOG_NOT_FOUND: {position(node.args['catalog'])}Catalog '{node.catalog.lower()}' not found"
                )
            name = _renamed((node.db or database).lower()), node.name.lower()
            if not node.alias:
                node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name.lower(), quoted=True)))
            references.setdefault(name, []).append(node)
        hidden = hidden_columns.used(tree)
        for name, nodes in references.items():
            self._declare(name, nodes, fetch, hidden)
            for node in nodes:
                node.set("db", exp.to_identifier(name[0], quoted=True))
                node.set("this", exp.to_identifier(name[1], quoted=True))
        if hidden:
            hidden_columns.expand_stars(tree, self._columns)
        try:
            return dialect.translate(tree, self._types)
        except QueryError as error:
            raise located(error, tree) from None

    def _declare(self, name: tuple[str, str], nodes: list[exp.Table], fetch: bool, hidden: bool) -> None:
        if name in self._sources.made:
            return
        schema = f"CREATE SCHEMA IF NOT EXISTS {quoted(name[0])}"
        self._types.execute(schema)
        self._runner.execute(schema)
        if found := metadata_tables.rows(name, self._sources.aws):
            self._fill(name, *found)
        else:
            self._declare_table(name, nodes, fetch, hidden)
        self._sources.made.add(name)

    def _declare_table(self, name: tuple[str, str], nodes: list[exp.Table], fetch: bool, hidden: bool) -> None:
        table = self._existing(name, nodes[0])
        if table.description.get("TableType") == "VIRTUAL_VIEW":
            self._view(table, fetch)
            return
        columns = columns_of(table)
        self._columns[name] = [column for column, _ in columns]
        self._create(self._types, name, columns + (list(HIDDEN.items()) if hidden else []))
        if fetch:
            self._sources.view(self._runner, table, self._partitions(table, nodes), hidden=hidden)

    def _existing(self, name: tuple[str, str], node: exp.Table) -> Table:
        found = self._sources.aws.table(*name)
        if found is not None:
            return found
        # Athena has a database "default" even if nobody made it.
        if name[0] != "default" and not self._sources.aws.has_database(name[0]):
            raise QueryError(f"SCHEMA_NOT_FOUND: {position(node)}Schema '{name[0]}' does not exist")
        raise QueryError(f"TABLE_NOT_FOUND: {position(node)}Table 'awsdatacatalog.{name[0]}.{name[1]}' does not exist")

    def _partitions(self, table: Table, nodes: list[exp.Table]) -> list[Partition] | None:
        if not table.partition_keys:
            return None
        one = nodes[0] if len(nodes) == 1 else None
        if projection.is_projected(table):
            found = projection.partitions(table, lambda column: self._injected(table, column, one))
        else:
            found = self._sources.aws.partitions(table, columns=format_of(table) != "parquet")
        return self._pruned(table, found, one) if found and one is not None else found

    def _injected(self, table: Table, column: str, node: exp.Table | None) -> list[str]:
        """The values that the query's conditions give a column; Athena projects no others for the type injected."""
        conditions = self._conditions(table, node) if node is not None else []
        values: set[str] | None = None
        for condition in conditions:
            found = _equal_values(condition, column)
            if found is not None:
                values = found if values is None else values & found
        if values is None:
            raise QueryError(
                f"CONSTRAINT_VIOLATION: For the injected projected partition column {column}, the WHERE clause must"
                " contain only static equality conditions, and at least one such condition must be present."
            )
        return sorted(values)

    def _fill(self, name: tuple[str, str], columns: list[tuple[str, str]], rows: list[list[str | None]]) -> None:
        """Creates a table with rows of text, which are cast to the columns' types."""
        for connection in (self._types, self._runner):
            self._create(connection, name, columns)
        if rows:
            marks = ", ".join(f"CAST(? AS {kind})" for _, kind in columns)
            self._runner.executemany(f"INSERT INTO {quoted(name[0])}.{quoted(name[1])} VALUES ({marks})", rows)

    @staticmethod
    def _create(connection: duckdb.DuckDBPyConnection, name: tuple[str, str], columns: list[tuple[str, str]]) -> None:
        listed = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
        connection.execute(f"CREATE TABLE {quoted(name[0])}.{quoted(name[1])} ({listed})")

    def _view(self, table: Table, fetch: bool) -> None:
        self._depth += 1
        if self._depth > 20:
            raise QueryError(f"INVALID_VIEW: {table.database}.{table.name} is nested too deeply")
        body = decode_view(table.database, table.description)
        sql = self._plan(dialect.parse(body["originalSql"]), body.get("schema") or table.database, fetch)
        for connection in (self._types, self._runner) if fetch else (self._types,):
            macros.install_called(connection, sql)
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


def _renamed(database: str) -> str:
    """The name of a database in DuckDB, which has an ``information_schema`` of its own."""
    return metadata_tables.SCHEMA if database == "information_schema" else database


def _equal_values(condition: exp.Expr, column: str) -> set[str] | None:
    """The literals to which a condition compares a column with = or IN; None if it does something else."""
    if isinstance(condition, exp.Paren):
        return _equal_values(condition.this, column)
    if not isinstance(condition.this, exp.Column) or condition.this.name.lower() != column:
        return None
    listed = [condition.expression] if isinstance(condition, exp.EQ) else []
    if isinstance(condition, exp.In):
        listed = condition.expressions
    if listed and all(isinstance(item, exp.Literal) for item in listed):
        return {str(item.this) for item in listed}
    return None
