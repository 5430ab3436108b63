"""Makes DuckDB views of catalog tables over their files, which are fetched with the caller's keys.

Whole files are fetched: DataScannedInBytes is their size. AWS counts only the columns that a query reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from infra.localcloud.athena import parquet_files
from infra.localcloud.athena.aws import CallerAws, Partition, Table
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.hive_types import hive_type
from infra.localcloud.athena.json_files import HiveJson, OpenXJson
from infra.localcloud.athena.objects import File
from infra.localcloud.athena.parquet_files import quoted
from infra.localcloud.athena.partition_schemas import require_compatible
from infra.localcloud.athena.text_files import LazySimple, OpenCsv, Row, TextTable, lines
from infra.localcloud.athena.types import hive_to_duckdb

_FILE = "nj_file"
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_BATCH = 20_000
_ROW_READERS: dict[str, Callable[[TextTable], Callable[[str], Row]]] = {
    "json": HiveJson,
    "openx": OpenXJson,
    "csv": OpenCsv,
    "text": LazySimple,
}
HIDDEN = {
    "$path": "VARCHAR",
    "$file_size": "BIGINT",
    "$file_modified_time": "TIMESTAMP WITH TIME ZONE",
    "$partition": "VARCHAR",
}


def string(value: str) -> str:
    """Writes text as a SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def format_of(table: Table) -> str:
    """Returns the format of a table's files: parquet, json, openx, csv or text.

    Raises:
        UnsupportedError: It is another one.
    """
    parameters = table.description.get("Parameters", {})
    if str(parameters.get("table_type", "")).upper() in ("ICEBERG", "DELTA"):
        raise UnsupportedError(f"the {parameters['table_type']} table {table.database}.{table.name}")
    storage = table.description.get("StorageDescriptor", {})
    serde = str(storage.get("SerdeInfo", {}).get("SerializationLibrary") or "").lower()
    for word, name in (
        ("parquet", "parquet"),
        ("openx", "openx"),
        ("jsonserde", "json"),
        ("opencsv", "csv"),
        ("lazysimple", "text"),
    ):
        if word in serde:
            return name
    raise UnsupportedError(
        f"a table with the serde {serde or '(none)'}", f"{table.database}.{table.name} must be Parquet, JSON or text."
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
    return ", ".join(f"({index}, {', '.join(_typed(one, keys))})" for index, one in enumerate(partitions))


def _typed(partition: Partition, keys: list[tuple[str, str]]) -> Iterator[str]:
    for value, (_, found) in zip(partition.values, keys, strict=True):
        yield f"CAST({'NULL' if value == _NULL_PARTITION else string(value)} AS {found})"


@dataclass(frozen=True)
class _Local:
    """A fetched file.

    Attributes:
        file: The object.
        path: Where it is; the name of its folder has its number.
        partition: The number of its partition.
    """

    file: File
    path: Path
    partition: int


@dataclass
class Sources:
    """Makes the views of one query, and counts the bytes that it reads.

    Attributes:
        aws: S3 with the caller's keys.
        folder: The local folder of the files.
        check: Called before each fetch; may raise.
        scanned: The bytes so far.
        made: The tables, as (database, name), that have a view.
    """

    aws: CallerAws
    folder: Path
    check: Callable[[], None]
    scanned: int = 0
    made: set[tuple[str, str]] = field(default_factory=set)

    def view(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: Table,
        partitions: list[Partition] | None,
        *,
        hidden: bool = False,
    ) -> None:
        """Creates the view ``database.table``.

        Args:
            connection: The connection that will run the query.
            table: The table.
            partitions: The partitions to read; None for a table without partition keys.
            hidden: Whether the view has the hidden columns, such as ``$path``.

        Raises:
            QueryError: The files do not fit the table's columns.
            UnsupportedError: The table's format is not read here.
        """
        name = f"{quoted(table.database)}.{quoted(table.name)}"
        if partitions is not None and format_of(table) != "parquet":
            require_compatible(table, partitions)
        found = self._fetch(table, partitions)
        columns = columns_of(table) + (list(HIDDEN.items()) if hidden else [])
        if not found:
            nothing = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(column)}" for column, kind in columns)
            connection.execute(f"CREATE VIEW {name} AS SELECT {nothing} WHERE false")
            return
        body = self._parquet(table, found) if format_of(table) == "parquet" else self._converted(table, found)
        keys = [(column.lower(), hive_to_duckdb(hive)) for column, hive in table.partition_keys]
        joined = [column for column, _ in keys] + (list(HIDDEN) if hidden else [])
        if not joined:
            connection.execute(f"CREATE VIEW {name} AS SELECT * EXCLUDE ({_FILE}) FROM ({body})")
            return
        own = ", ".join(f"f.{quoted(column)}" for column, _ in columns if column not in joined)
        listed = ", ".join(map(quoted, joined))
        rows = ", ".join(_file_row(number, one, table, partitions, keys, hidden) for number, one in enumerate(found))
        connection.execute(
            f"CREATE VIEW {name} AS SELECT {own + ', ' if own else ''}{listed} FROM ({body}) f"
            f" JOIN (VALUES {rows}) p({_FILE}, {listed}) USING ({_FILE})"
        )

    def _fetch(self, table: Table, partitions: list[Partition] | None) -> list[_Local]:
        self.check()
        locations = [table.location] if partitions is None else [partition.location for partition in partitions]
        folder = self.folder / f"{table.database}.{table.name}"
        found: list[_Local] = []
        for number, files in enumerate(self.aws.files_of(locations)):
            for file in files:
                found.append(_Local(file, folder / f"{_FILE}={len(found)}" / "0.parquet", number))
        self.aws.download([(one.file, one.path) for one in found], self.check)
        self.scanned += sum(one.file.size for one in found)
        return found

    # --- Parquet -----------------------------------------------------------------------------------------------

    def _parquet(self, table: Table, files: list[_Local]) -> str:
        """Reads the files; those with the same columns are read together."""
        groups: dict[pa.Schema, list[_Local]] = {}
        by_text: dict[str, pa.Schema] = {}
        for one in files:
            schema = parquet_files.schema_of(one.path, one.file.uri)
            groups.setdefault(by_text.setdefault(str(schema), schema), []).append(one)
        selects = []
        for schema, group in groups.items():
            columns = parquet_files.columns_of_file(schema, table.columns, group[0].path, group[0].file.uri)
            selects.append(f"SELECT {', '.join([*columns, _FILE])} FROM {_reader(group)}")
        return " UNION ALL ".join(selects)

    # --- text and JSON -----------------------------------------------------------------------------------------

    def _converted(self, table: Table, files: list[_Local]) -> str:
        """Reads the rows of each file into a Parquet file in its place."""
        storage = table.description["StorageDescriptor"]
        text = TextTable(
            table.columns,
            storage.get("SerdeInfo", {}).get("Parameters", {}),
            {**table.description.get("Parameters", {}), **storage.get("Parameters", {})},
        )
        reader: Callable[[str], Row] = _ROW_READERS[format_of(table)](text)
        schema = pa.schema([(name.lower(), hive_type(hive).arrow()) for name, hive in table.columns])
        for one in files:
            source = one.path.rename(one.path.with_name("source"))
            rows = map(reader, lines(source, one.file.key, text))
            with pq.ParquetWriter(one.path, schema, compression="none") as writer:
                for batch in _batches(rows):
                    self.check()
                    writer.write_table(_arrow_table(batch, schema, one.file.uri))
            source.unlink()
        columns = ", ".join(quoted(name.lower()) for name, _ in table.columns)
        return f"SELECT {columns}{', ' if columns else ''}{_FILE} FROM {_reader(files)}"


def _reader(files: list[_Local]) -> str:
    listed = ", ".join(string(str(one.path)) for one in files)
    return f"read_parquet([{listed}], hive_partitioning = true, hive_types = {{{_FILE}: INTEGER}})"


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _arrow_table(rows: list[Row], schema: pa.Schema, uri: str) -> pa.Table:
    try:
        columns = [
            pa.array([row[number] for row in rows], type=schema.field(number).type) for number in range(len(schema))
        ]
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise QueryError(f"HIVE_BAD_DATA: {uri}: {error}") from None
    return pa.Table.from_arrays(columns, schema=schema)


def _file_row(
    number: int,
    one: _Local,
    table: Table,
    partitions: list[Partition] | None,
    keys: list[tuple[str, str]],
    hidden: bool,
) -> str:
    values = [str(number)]
    if partitions is not None:
        values += _typed(partitions[one.partition], keys)
    if hidden:
        partition = partition_name(table, partitions[one.partition]) if partitions is not None else ""
        values += [
            string(one.file.uri),
            f"CAST({one.file.size} AS BIGINT)",
            f"make_timestamptz({one.file.modified * 1000})",
            string(partition),
        ]
    return f"({', '.join(values)})"


def partition_name(table: Table, partition: Partition) -> str:
    """Returns the name of a partition: ``year=2013/month=03``."""
    pairs = zip(table.partition_keys, partition.values, strict=True)
    return "/".join(f"{name}={value}" for (name, _), value in pairs)
