"""A Python function that DuckDB calls, column by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

_ARROW = {
    "BIGINT": pa.int64(),
    "BLOB": pa.binary(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
    "INTEGER": pa.int32(),
    "VARCHAR": pa.string(),
}


def arrow_type(duckdb_type: str) -> pa.DataType:
    """Returns the Arrow type of a DuckDB type: a plain one, or an array or map of plain ones."""
    if duckdb_type.endswith("[]"):
        return pa.list_(arrow_type(duckdb_type[:-2]))
    if duckdb_type.startswith("MAP("):
        key, value = duckdb_type[4:-1].split(", ", 1)
        return pa.map_(arrow_type(key), arrow_type(value))
    return _ARROW[duckdb_type]


@dataclass(frozen=True)
class PythonFunction:
    """A function for what DuckDB cannot do as Trino does.

    Attributes:
        name: Its name in DuckDB; it begins with ``py_``.
        implementation: Computes one row from the arguments' Python values; raises QueryError where Trino fails. If
            ``typed`` is true it computes a whole batch from its Arrow columns, because it needs the arguments' types.
        parameters: The DuckDB types of the parameters; None for any number of arguments of any type.
        returns: The DuckDB type of the result.
        takes_null: Whether it is called for a row with a null; otherwise such a row's result is null.
        typed: See ``implementation``.
    """

    name: str
    implementation: Callable[..., Any]
    parameters: tuple[str, ...] | None
    returns: str
    takes_null: bool = False
    typed: bool = False

    def register(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Makes the function known to a connection."""
        parameters: Any = None if self.parameters is None else list(self.parameters)
        connection.create_function(
            self.name,
            self._batch,
            parameters,
            self.returns,  # type: ignore[arg-type]  # DuckDB's stubs lack the names of types
            type="arrow",  # type: ignore[arg-type]
            null_handling="special",  # type: ignore[arg-type]
        )

    def _batch(self, *columns: pa.ChunkedArray) -> pa.Array:
        kind = arrow_type(self.returns)
        if self.typed:
            return pa.array(self.implementation(*columns), kind)
        return pa.array(self._rows([column.to_pylist() for column in columns]), kind)

    def _rows(self, columns: Sequence[list[Any]]) -> list[Any]:
        call = self.implementation
        if self.takes_null:
            return [call(*row) for row in zip(*columns, strict=True)]
        return [None if None in row else call(*row) for row in zip(*columns, strict=True)]
