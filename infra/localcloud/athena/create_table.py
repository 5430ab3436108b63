"""CREATE EXTERNAL TABLE: reads the statement, and describes the table to the Glue catalog."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.localcloud.athena.aws import CallerAws, split_folder
from infra.localcloud.athena.ddl_tokens import Tokens
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.results import Result, text_result
from infra.localcloud.athena.storage import LAZY_SERDE, TEXT, storage_of


def create_table(tokens: Tokens, aws: CallerAws, database: str, *, external: bool) -> Result:
    """Executes CREATE [EXTERNAL] TABLE, from the words behind TABLE.

    Raises:
        QueryError: A clause is wrong, LOCATION is missing, or the table exists.
        UnsupportedError: A clause or format is not honoured here.
    """
    unless = tokens.words("IF", "NOT", "EXISTS")
    database, name = tokens.table(database)
    if tokens.words("LIKE"):
        raise UnsupportedError("CREATE TABLE … LIKE")
    definition = _Definition(tokens.columns())
    definition.read(tokens)
    if str(definition.parameters.get("table_type", "")).upper() == "ICEBERG":
        raise UnsupportedError("tables of type ICEBERG")
    if not external:
        raise QueryError(
            "FAILED: SemanticException Only external table creation is supported. Write CREATE EXTERNAL TABLE"
        )
    entry = definition.table_input(name)
    if aws.table(database, name) is not None:
        if unless:
            return text_result()
        raise QueryError(f"FAILED: AlreadyExistsException: Table {database}.{name} already exists")
    aws.call("create_table", DatabaseName=database, TableInput=entry)
    return text_result()


class _Definition:
    """The columns and clauses of a table."""

    def __init__(self, columns: list[dict[str, str]]) -> None:
        self._columns = columns
        self._partition_keys: list[dict[str, str]] = []
        self.parameters: dict[str, str] = {"EXTERNAL": "TRUE"}
        self._serde = ""
        self._serde_parameters: dict[str, str] = {}
        self._storage: dict[str, Any] = {}
        self._clauses: list[tuple[tuple[str, ...], Callable[[Tokens], None]]] = [
            (("COMMENT",), self._comment),
            (("PARTITIONED", "BY"), self._partitioned_by),
            (("CLUSTERED", "BY"), self._clustered_by),
            (("ROW", "FORMAT", "SERDE"), self._row_format_serde),
            (("ROW", "FORMAT", "DELIMITED"), self._row_format_delimited),
            (("WITH", "SERDEPROPERTIES"), self._serde_properties),
            (("STORED", "AS"), self._stored_as),
            (("LOCATION",), self._location),
            (("TBLPROPERTIES",), self._table_properties),
        ]

    def read(self, tokens: Tokens) -> None:
        """Reads every clause."""
        while tokens.peek().kind != "end":
            for words, reader in self._clauses:
                if tokens.words(*words):
                    reader(tokens)
                    break
            else:
                raise tokens.error()

    def table_input(self, name: str) -> dict[str, Any]:
        """Describes the table for Glue's CreateTable."""
        if not self._storage.get("Location"):
            raise QueryError("FAILED: SemanticException No LOCATION is given. Write LOCATION 's3://bucket/folder/'")
        names = [column["Name"] for column in [*self._columns, *self._partition_keys]]
        if len(set(names)) < len(names):
            raise QueryError("FAILED: SemanticException [Error 10035]: Column repeated in partitioning columns")
        storage = self._storage if "InputFormat" in self._storage else {**self._storage, **TEXT}
        serde = {"SerializationLibrary": self._serde or LAZY_SERDE, "Parameters": self._serde_parameters}
        return {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": self.parameters,
            "PartitionKeys": self._partition_keys,
            "StorageDescriptor": {**storage, "Columns": self._columns, "SerdeInfo": serde},
        }

    def _comment(self, tokens: Tokens) -> None:
        self.parameters["comment"] = tokens.string()

    def _partitioned_by(self, tokens: Tokens) -> None:
        self._partition_keys = tokens.columns()

    def _clustered_by(self, tokens: Tokens) -> None:
        tokens.expect_sign("(")
        columns = [tokens.identifier()]
        while tokens.sign(","):
            columns.append(tokens.identifier())
        tokens.expect_sign(")")
        tokens.expect("INTO")
        number = tokens.take().text
        tokens.expect("BUCKETS")
        self._storage |= {"BucketColumns": columns, "NumberOfBuckets": int(number) if number.isdigit() else -1}

    def _row_format_serde(self, tokens: Tokens) -> None:
        self._serde = tokens.string()

    def _row_format_delimited(self, tokens: Tokens) -> None:
        self._serde = LAZY_SERDE
        while self._delimiter(tokens):
            pass

    def _delimiter(self, tokens: Tokens) -> bool:
        serde = self._serde_parameters
        if tokens.words("FIELDS", "TERMINATED", "BY"):
            serde["field.delim"] = serde["serialization.format"] = tokens.string()
            if tokens.words("ESCAPED", "BY"):
                serde["escape.delim"] = tokens.string()
        elif tokens.words("COLLECTION", "ITEMS", "TERMINATED", "BY"):
            serde["collection.delim"] = tokens.string()
        elif tokens.words("MAP", "KEYS", "TERMINATED", "BY"):
            serde["mapkey.delim"] = tokens.string()
        elif tokens.words("LINES", "TERMINATED", "BY"):
            if (line := tokens.string()) != "\n":
                raise UnsupportedError(f"LINES TERMINATED BY {line!r}")
        elif tokens.words("NULL", "DEFINED", "AS"):
            serde["serialization.null.format"] = tokens.string()
        else:
            return False
        return True

    def _serde_properties(self, tokens: Tokens) -> None:
        self._serde_parameters.update(tokens.properties())

    def _table_properties(self, tokens: Tokens) -> None:
        self.parameters.update(tokens.properties())

    def _stored_as(self, tokens: Tokens) -> None:
        if tokens.words("INPUTFORMAT"):
            source = tokens.string()
            tokens.expect("OUTPUTFORMAT")
            self._storage |= {"InputFormat": source, "OutputFormat": tokens.string()}
            return
        classes, serde = storage_of(tokens.identifier().upper())
        self._storage |= classes
        self._serde = self._serde or serde

    def _location(self, tokens: Tokens) -> None:
        self._storage["Location"] = table_location(tokens.string())


def table_location(uri: str) -> str:
    """Returns a table's location with one slash at its end; Athena removes empty folders from it.

    Raises:
        QueryError: It is no S3 URI.
    """
    if not uri.startswith("s3://"):
        raise QueryError(
            "FAILED: SemanticException Invalid table location: it must be an S3 path such as s3://bucket/folder/, not"
            f" {uri}"
        )
    bucket, prefix = split_folder(uri)
    return f"s3://{bucket}/" + "".join(part + "/" for part in prefix.split("/") if part)
