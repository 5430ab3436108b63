"""CREATE EXTERNAL TABLE: its clauses as a table of the Glue catalog."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from infra.localcloud.athena.aws import CallerAws, split_folder
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.results import Result, text_result
from infra.localcloud.athena.statements import closing, name_parts, properties
from infra.localcloud.athena.translator.types import hive_to_duckdb, split_top
from infra.localcloud.athena.writing import PARQUET, PARQUET_SERDE

_TEXT = {
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
}
_LAZY_SERDE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"


def create_table(matched: re.Match[str], aws: CallerAws, database: str) -> Result:
    """Executes CREATE EXTERNAL TABLE.

    Raises:
        QueryError: A clause is wrong, LOCATION is missing, or the table exists.
        UnsupportedError: A clause or format is not honoured here.
    """
    database, name = name_parts(matched["name"], database)
    body = matched["body"]
    end = closing(body, 0)
    definition = _Definition(_columns(body[1:end]))
    definition.read(body[end + 1 :])
    entry = definition.table_input(name)
    if aws.table(database, name) is not None:
        if matched["unless"]:
            return text_result()
        raise QueryError(f"FAILED: SemanticException: Table {database}.{name} already exists")
    aws.call("create_table", DatabaseName=database, TableInput=entry)
    return text_result()


class _Definition:
    """The clauses behind the columns. A reader of a clause returns the index at which the next clause begins."""

    def __init__(self, columns: list[dict[str, str]]) -> None:
        self._columns = columns
        self._partition_keys: list[dict[str, str]] = []
        self._parameters: dict[str, str] = {"EXTERNAL": "TRUE"}
        self._serde = ""
        self._serde_parameters: dict[str, str] = {}
        self._storage: dict[str, Any] = {}
        # The first clause that matches is read.
        self._clauses: list[tuple[str, Callable[[re.Match[str], str], int]]] = [
            (r"PARTITIONED\s+BY\s*\(", self._partitioned_by),
            (r"(TBLPROPERTIES|WITH\s+SERDEPROPERTIES)\s*\(", self._properties),
            (r"ROW\s+FORMAT\s+SERDE\s+'([^']+)'", self._row_format_serde),
            (r"ROW\s+FORMAT\s+DELIMITED\b", self._row_format_delimited),
            (
                r"(FIELDS|LINES|COLLECTION\s+ITEMS|MAP\s+KEYS)\s+TERMINATED\s+BY\s+'([^']+)'",
                self._terminated_by,
            ),
            (r"(ESCAPED\s+BY|NULL\s+DEFINED\s+AS)\s+'([^']*)'", self._escape_or_null),
            (r"STORED\s+AS\s+INPUTFORMAT\s+'([^']+)'\s+OUTPUTFORMAT\s+'([^']+)'", self._stored_as_classes),
            (r"STORED\s+AS\s+(\w+)", self._stored_as),
            (r"LOCATION\s+'([^']+)'", self._location),
            (r"COMMENT\s+'([^']*)'", self._comment),
        ]

    def read(self, clauses: str) -> None:
        rest = clauses.strip()
        while rest:
            rest = rest[self._read_first(rest) :].strip()
        if not self._storage.get("Location"):
            raise QueryError("FAILED: SemanticException: LOCATION 's3://…/' is needed")

    def table_input(self, name: str) -> dict[str, Any]:
        storage = self._storage if "InputFormat" in self._storage else {**self._storage, **_TEXT}
        serde = {"SerializationLibrary": self._serde or _LAZY_SERDE, "Parameters": self._serde_parameters}
        return {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": self._parameters,
            "PartitionKeys": self._partition_keys,
            "StorageDescriptor": {**storage, "Columns": self._columns, "SerdeInfo": serde},
        }

    def _read_first(self, rest: str) -> int:
        for pattern, reader in self._clauses:
            if found := re.match(pattern, rest, re.IGNORECASE):
                return reader(found, rest)
        raise QueryError(f"FAILED: ParseException: cannot recognize input near '{rest[:40]}'")

    def _partitioned_by(self, found: re.Match[str], rest: str) -> int:
        end = closing(rest, found.end() - 1)
        self._partition_keys = _columns(rest[found.end() : end])
        return end + 1

    def _properties(self, found: re.Match[str], rest: str) -> int:
        end = closing(rest, found.end() - 1)
        given = _quoted_properties(rest[found.end() : end])
        (self._parameters if found[1].upper() == "TBLPROPERTIES" else self._serde_parameters).update(given)
        return end + 1

    def _row_format_serde(self, found: re.Match[str], rest: str) -> int:
        self._serde = found[1]
        return found.end()

    def _row_format_delimited(self, found: re.Match[str], rest: str) -> int:
        self._serde = _LAZY_SERDE
        return found.end()

    def _terminated_by(self, found: re.Match[str], rest: str) -> int:
        if found[1].upper() == "FIELDS":
            self._serde_parameters["field.delim"] = found[2].replace("\\t", "\t").replace("\\001", "\x01")
        elif found[1].upper() == "LINES" and found[2] not in ("\\n", "\n"):
            raise UnsupportedError(f"LINES TERMINATED BY '{found[2]}'")
        return found.end()

    def _escape_or_null(self, found: re.Match[str], rest: str) -> int:
        if found[1].upper().startswith("ESCAPED"):
            raise UnsupportedError(
                "ROW FORMAT DELIMITED … ESCAPED BY", "Use org.apache.hadoop.hive.serde2.OpenCSVSerde."
            )
        self._serde_parameters["serialization.null.format"] = found[2]
        return found.end()

    def _stored_as_classes(self, found: re.Match[str], rest: str) -> int:
        self._storage |= {"InputFormat": found[1], "OutputFormat": found[2]}
        return found.end()

    def _stored_as(self, found: re.Match[str], rest: str) -> int:
        if found[1].upper() not in ("PARQUET", "TEXTFILE", "JSON"):
            raise UnsupportedError(f"STORED AS {found[1].upper()}")
        if found[1].upper() == "PARQUET":
            self._storage, self._serde = dict(PARQUET), PARQUET_SERDE
        return found.end()

    def _location(self, found: re.Match[str], rest: str) -> int:
        self._storage["Location"] = "s3://" + "/".join(split_folder(found[1]))
        return found.end()

    def _comment(self, found: re.Match[str], rest: str) -> int:
        self._parameters["comment"] = found[1]
        return found.end()


def _columns(text: str) -> list[dict[str, str]]:
    found = []
    pattern = r"[`\"]?([\w$-]+)[`\"]?\s+(.+?)(?:\s+COMMENT\s+'([^']*)')?"
    for item in filter(None, split_top(text)):
        matched = re.fullmatch(pattern, item, re.IGNORECASE | re.DOTALL)
        if not matched:
            raise QueryError(f"FAILED: ParseException: {item!r} is not a column's name and type")
        hive_to_duckdb(matched[2])
        column = {"Name": matched[1].lower(), "Type": re.sub(r"\s+", "", matched[2]).lower()}
        found.append(column | ({"Comment": matched[3]} if matched[3] else {}))
    return found


def _quoted_properties(text: str) -> dict[str, str]:
    """Properties whose names keep their case, without the quotes of names and values."""
    names = [item.partition("=")[0].strip().strip("'\"") for item in filter(None, split_top(text))]
    given = dict(zip(names, properties(text).values(), strict=True))
    return {
        name: str(value if isinstance(value, list) else re.sub(r'^"(.+)"$', r"\1", value))
        for name, value in given.items()
    }
