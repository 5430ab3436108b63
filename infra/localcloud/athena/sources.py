"""Makes DuckDB views of catalog tables over their files, which are downloaded with the caller's keys.

Whole files are downloaded: DataScannedInBytes is their size. AWS counts only the columns that a query reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from infra.localcloud.athena.aws import CallerAws, File, Partition, Table
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.casts import from_text
from infra.localcloud.athena.translator.types import hive_to_duckdb, kind

_PARTITION = "nj_partition"
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def quoted(name: str) -> str:
    """Writes a name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def string(value: str) -> str:
    """Writes text as a SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def format_of(table: Table) -> str:
    """Returns the format of a table's files: parquet, json, csv or text.

    Raises:
        UnsupportedError: It is another one.
    """
    storage = table.description.get("StorageDescriptor", {})
    serde = str(storage.get("SerdeInfo", {}).get("SerializationLibrary") or "").lower()
    for word, name in (
        ("parquet", "parquet"),
        ("openx", "json"),
        ("hcatalog.data.jsonserde", "json"),
        ("opencsv", "csv"),
        ("lazysimple", "text"),
    ):
        if word in serde:
            return name
    raise UnsupportedError(
        f"a table with the serde {serde or '(none)'}", f"{table.database}.{table.name} must be Parquet, JSON or CSV."
    )


def columns_of(table: Table) -> list[tuple[str, str]]:
    """Returns every column with its DuckDB type, partition keys last."""
    return [(name.lower(), hive_to_duckdb(hive)) for name, hive in [*table.columns, *table.partition_keys]]


def partition_rows(partitions: list[Partition], keys: list[tuple[str, str]]) -> str:
    """Writes the rows of a VALUES list: the number of each partition and its typed values.

    Args:
        partitions: The partitions, numbered from 0.
        keys: The partition keys: name and DuckDB type.
    """
    rows = []
    for index, partition in enumerate(partitions):
        typed = (
            f"CAST({'NULL' if value == _NULL_PARTITION else string(value)} AS {found})"
            for value, (_, found) in zip(partition.values, keys, strict=True)
        )
        rows.append(f"({index}, {', '.join(typed)})")
    return ", ".join(rows)


@dataclass
class Sources:
    """Makes the views of one query, and counts the bytes that it downloads.

    Attributes:
        aws: S3 with the caller's keys.
        folder: The local folder of the files.
        check: Called before each download; may raise.
        scanned: The bytes so far.
        made: The tables, as (database, name), that have a view.
    """

    aws: CallerAws
    folder: Path
    check: Callable[[], None]
    scanned: int = 0
    made: set[tuple[str, str]] = field(default_factory=set)

    def view(self, connection: duckdb.DuckDBPyConnection, table: Table, partitions: list[Partition] | None) -> None:
        """Creates the view ``database.table``.

        Args:
            connection: The connection that will run the query.
            table: The table.
            partitions: The partitions to read; None for a table without partition keys.

        Raises:
            QueryError: The files do not fit the table's columns.
            UnsupportedError: The table's format is not read here.
        """
        columns = columns_of(table)
        name = f"{quoted(table.database)}.{quoted(table.name)}"
        locations = [table.location] if partitions is None else [partition.location for partition in partitions]
        files = self._download(table, locations)
        if not files:
            nothing = ", ".join(f"CAST(NULL AS {found}) AS {quoted(column)}" for column, found in columns)
            connection.execute(f"CREATE VIEW {name} AS SELECT {nothing} WHERE false")
            return
        keys = [(column.lower(), hive_to_duckdb(hive)) for column, hive in table.partition_keys]
        body = self._read(connection, table, files)
        if partitions is None:
            connection.execute(f"CREATE VIEW {name} AS SELECT * EXCLUDE ({_PARTITION}) FROM ({body})")
            return
        listed = ", ".join(quoted(column) for column, _ in keys)
        own = ", ".join(f"f.{quoted(column.lower())}" for column, _ in table.columns)
        connection.execute(
            f"CREATE VIEW {name} AS SELECT {own + ', ' if own else ''}{listed} FROM ({body}) f"
            f" JOIN (VALUES {partition_rows(partitions, keys)}) p({_PARTITION}, {listed}) USING ({_PARTITION})"
        )

    def _download(self, table: Table, locations: list[str]) -> list[Path]:
        pairs: list[tuple[File, Path]] = []
        for number, location in enumerate(locations):
            self.check()
            folder = self.folder / f"{table.database}.{table.name}" / f"{_PARTITION}={number}"
            for index, file in enumerate(self.aws.files(location)):
                # DuckDB reads the compression from the extension; the rest of a key may be any text.
                name = file.key.rsplit("/", 1)[-1]
                suffix = "".join(re.findall(r"\.(?:gz|zst|bz2|snappy|parquet|json|csv)", name))[-16:]
                pairs.append((file, folder / f"{index:06d}{suffix}"))
        self.aws.download(pairs, self.check)
        self.scanned += sum(file.size for file, _ in pairs)
        return [path for _, path in pairs]

    def _read(self, connection: duckdb.DuckDBPyConnection, table: Table, files: list[Path]) -> str:
        listed = "[" + ", ".join(string(str(path)) for path in files) + "]"
        options = f"union_by_name = true, hive_partitioning = true, hive_types = {{{_PARTITION}: INTEGER}}"
        reader = {"parquet": self._parquet, "json": self._json, "csv": self._csv, "text": self._text}[format_of(table)]
        return reader(connection, table, listed, options)

    def _parquet(self, connection: duckdb.DuckDBPyConnection, table: Table, files: str, options: str) -> str:
        source = f"read_parquet({files}, {options})"
        try:
            described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        except duckdb.Error as error:
            raise QueryError(f"HIVE_BAD_DATA: {table.database}.{table.name}: {error}") from None
        in_files = {row[0].lower(): str(row[1]) for row in described}
        written = []
        for name, hive in table.columns:
            wanted, found = hive_to_duckdb(hive), in_files.get(name.lower())
            if found is not None and kind(found) != kind(wanted):
                raise QueryError(
                    f"HIVE_BAD_DATA: Field {name}'s type {found} in the Parquet files of {table.database}.{table.name}"
                    f" is incompatible with type {hive} defined in table schema"
                )
            value = "NULL" if found is None else quoted(name)
            value = f"CAST({value} AS {wanted})"
            # Athena's timestamps have milliseconds.
            written.append(
                (f"trino_milli({value})" if wanted == "TIMESTAMP" else value) + f" AS {quoted(name.lower())}"
            )
        return f"SELECT {', '.join([*written, _PARTITION])} FROM {source}"

    @staticmethod
    def _checked(name: str, wanted: str, *, null_if_wrong: bool) -> str:
        if kind(wanted) in ("array", "map", "row", "varchar"):
            return f"{quoted(name)} AS {quoted(name)}"
        if wanted == "BLOB":
            raise UnsupportedError(f"the binary column {name} of a text table")
        word = "TRY_CAST" if null_if_wrong else "CAST"
        return f"{word}({from_text(quoted(name), wanted)} AS {wanted}) AS {quoted(name)}"

    def _json(self, connection: duckdb.DuckDBPyConnection, table: Table, files: str, options: str) -> str:
        columns = [(name.lower(), hive_to_duckdb(hive)) for name, hive in table.columns]
        read = ", ".join(
            f"{quoted(name)}: {string(found if kind(found) in ('array', 'map', 'row') else 'VARCHAR')}"
            for name, found in columns
        )
        written = [self._checked(name, found, null_if_wrong=False) for name, found in columns]
        options = options.replace("union_by_name = true, ", "")
        source = f"read_json({files}, columns = {{{read}}}, format = 'newline_delimited', {options})"
        return f"SELECT {', '.join([*written, _PARTITION])} FROM {source}"

    def _text(self, connection: duckdb.DuckDBPyConnection, table: Table, files: str, options: str) -> str:
        parameters = table.description["StorageDescriptor"].get("SerdeInfo", {}).get("Parameters", {})
        delimiter = parameters.get("field.delim") or parameters.get("serialization.format") or "\x01"
        null = parameters.get("serialization.null.format", "\\N")
        delimiter = {"1": "\x01", "\\t": "\t"}.get(delimiter, delimiter)
        dialect = f"delim = {string(delimiter)}, quote = '', escape = '', nullstr = {string(null)}"
        return self._delimited(table, files, options, dialect, null_if_wrong=True)

    def _csv(self, connection: duckdb.DuckDBPyConnection, table: Table, files: str, options: str) -> str:
        parameters = table.description["StorageDescriptor"].get("SerdeInfo", {}).get("Parameters", {})
        quote, separator = parameters.get("quoteChar", '"').replace('\\"', '"'), parameters.get("separatorChar", ",")
        escape = {"\\\\": "\\"}.get(parameters.get("escapeChar", "\\"), parameters.get("escapeChar", "\\"))
        dialect = f"delim = {string(separator)}, quote = {string(quote)}, escape = {string(escape)}"
        return self._delimited(table, files, options, dialect, null_if_wrong=False)

    def _delimited(self, table: Table, files: str, options: str, dialect: str, *, null_if_wrong: bool) -> str:
        columns = [(name.lower(), hive_to_duckdb(hive)) for name, hive in table.columns]
        if any(kind(found) in ("array", "map", "row") for _, found in columns):
            raise UnsupportedError(f"nested columns of the text table {table.name}")
        parameters = {
            **table.description.get("Parameters", {}),
            **table.description["StorageDescriptor"].get("Parameters", {}),
        }
        skip = int(parameters.get("skip.header.line.count", 0))
        read = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name, _ in columns)
        source = (
            f"read_csv({files}, columns = {{{read}}}, auto_detect = false, header = false, skip = {skip},"
            f" null_padding = true, {dialect}, {options.replace('union_by_name = true, ', '')})"
        )
        written = [self._checked(name, found, null_if_wrong=null_if_wrong) for name, found in columns]
        return f"SELECT {', '.join([*written, _PARTITION])} FROM {source}"
