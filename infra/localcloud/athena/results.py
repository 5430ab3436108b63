"""A statement's result, and the file that Athena leaves of it in S3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.localcloud.athena.types import duckdb_to_athena


@dataclass
class Result:
    """The result of a finished statement.

    Attributes:
        columns: The columns: name and DuckDB type.
        rows: The rows as text; None is null.
        header: Whether GetQueryResults begins with the names of the columns; false for DDL.
        update_count: The number of written rows.
        manifest: The S3 URI of the list of written files.
    """

    columns: list[tuple[str, str]] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    header: bool = True
    update_count: int | None = None
    manifest: str | None = None

    def csv(self) -> bytes:
        """Writes ``<id>.csv`` as Athena does: every value quoted, null empty and without quotes."""
        header: list[str | None] = [name for name, _ in self.columns]
        lines = [header, *self.rows]
        return "".join(
            ",".join("" if v is None else '"' + v.replace('"', '""') + '"' for v in line) + "\n" for line in lines
        ).encode()

    def text(self) -> bytes:
        """Writes ``<id>.txt``, the result of DDL: tabs between columns."""
        return "".join("\t".join(value or "" for value in row) + "\n" for row in self.rows).encode()

    def metadata(self) -> list[dict[str, Any]]:
        """Describes the columns as ColumnInfo of GetQueryResults.

        Raises:
            QueryError: Athena has no such type.
        """
        described = []
        for name, kind in self.columns:
            label, precision, scale = duckdb_to_athena(kind) if self.header else ("string", 0, 0)
            described.append(
                {
                    "CatalogName": "hive",
                    "SchemaName": "",
                    "TableName": "",
                    "Name": name,
                    "Label": name,
                    "Type": label,
                    "Precision": precision,
                    "Scale": scale,
                    "Nullable": "UNKNOWN",
                    "CaseSensitive": label == "varchar",
                }
            )
        return described


def text_result(*columns: str, rows: Sequence[Sequence[str | None]] = ()) -> Result:
    """Makes the result of a statement that is not a query: columns of text, no header."""
    return Result([(name, "VARCHAR") for name in columns], [list(row) for row in rows], header=False)
