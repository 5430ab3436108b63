"""A Python function that DuckDB calls, column by column."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from infra.localcloud.athena.errors import UnsupportedError
from infra.localcloud.athena.translator.types import split_top, struct_fields

_ARROW = {
    "BIGINT": pa.int64(),
    "BLOB": pa.binary(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
    "FLOAT": pa.float32(),
    "INTEGER": pa.int32(),
    "JSON": pa.json_(pa.string()),
    "SMALLINT": pa.int16(),
    "TINYINT": pa.int8(),
    "VARCHAR": pa.string(),
}
# DuckDB 1.5.5 counts ``*columns`` as one parameter, so a function of a fixed number of columns needs a signature of it.
_ARITIES: dict[int, Callable[[Callable[..., pa.Array]], Callable[..., pa.Array]]] = {
    1: lambda call: lambda a: call(a),
    2: lambda call: lambda a, b: call(a, b),
    3: lambda call: lambda a, b, c: call(a, b, c),
    4: lambda call: lambda a, b, c, d: call(a, b, c, d),
}


def arrow_type(duckdb_type: str) -> pa.DataType:
    """Returns the Arrow type of a DuckDB type that a function returns."""
    if duckdb_type.endswith("[]"):
        return pa.list_(arrow_type(duckdb_type[:-2]))
    if duckdb_type.startswith("MAP("):
        key, value = split_top(duckdb_type[4:-1])
        return pa.map_(arrow_type(key), arrow_type(value))
    if duckdb_type.startswith("STRUCT("):
        return pa.struct([(name or "", arrow_type(kind)) for name, kind in struct_fields(duckdb_type)])
    if matched := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", duckdb_type):
        return pa.decimal128(int(matched[1]), int(matched[2]))
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
        """Makes the function known to a connection.

        Raises:
            UnsupportedError: DuckDB registers no function without numpy, which this environment lacks.
        """
        call, parameters = self._batch, None
        if self.parameters is not None:
            call, parameters = _ARITIES[len(self.parameters)](self._batch), list(self.parameters)
        options: dict[str, Any] = {"type": "arrow", "null_handling": "special"}
        try:
            connection.create_function(self.name, call, parameters, self.returns, **options)  # type: ignore[arg-type]
        except duckdb.InvalidInputException as error:
            if "numpy" not in str(error):
                raise
            raise UnsupportedError(
                f"the function {self.name.removeprefix('py_')}",
                "DuckDB 1.5.5 needs numpy for functions in Python; the local cloud's environment lacks it.",
            ) from None

    def _batch(self, *columns: pa.ChunkedArray) -> pa.Array:
        compute = self.implementation if self.typed else self._rows
        return pa.array(compute(*columns), arrow_type(self.returns))

    def _rows(self, *columns: pa.ChunkedArray) -> list[Any]:
        call, rows = self.implementation, zip(*(column.to_pylist() for column in columns), strict=True)
        if self.takes_null:
            return [call(*row) for row in rows]
        return [None if None in row else call(*row) for row in rows]
