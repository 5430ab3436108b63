"""Trino's JSON functions and casts in DuckDB, whose JSON type holds Trino's canonical text.

DuckDB 1.5.5 prints numbers again, takes other paths, and compares JSON as text without sorting keys.
"""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena import functions
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.functions.json import parse_literal
from infra.localcloud.athena.functions.json_casts import castable, from_json
from infra.localcloud.athena.functions.json_text import path_steps
from infra.localcloud.athena.translator import printing
from infra.localcloud.athena.translator.calls import FunctionCall, Translation, translation
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, text
from infra.localcloud.athena.translator.functions_text import constant
from infra.localcloud.athena.types import INTEGERS, REALS

_PLAIN = {
    "BOOLEAN": "BOOLEAN",
    "TINYINT": "TINYINT",
    "SMALLINT": "SMALLINT",
    "INT": "INTEGER",
    "BIGINT": "BIGINT",
    "FLOAT": "FLOAT",
    "DOUBLE": "DOUBLE",
    "VARCHAR": "VARCHAR",
    "TEXT": "VARCHAR",
    "JSON": "JSON",
}


def literal(node: exp.ParseJSON) -> Fragment:
    """Translates ``JSON '…'``.

    Raises:
        QueryError: The text is no JSON.
    """
    written = parse_literal(str(node.this.this)).replace("'", "''")
    return Fragment(this=f"CAST('{written}' AS JSON)")


# --- casts ---------------------------------------------------------------------------------------------------------


def target(wanted: exp.DataType) -> str:
    """Finds the DuckDB type of a cast from JSON.

    Raises:
        QueryError: Trino casts no JSON to this type.
        UnsupportedError: The type is not known here.
    """
    name, parts = str(getattr(wanted.this, "name", wanted.this)).upper(), wanted.expressions
    if name in _PLAIN and not parts:
        return _PLAIN[name]
    if name == "DECIMAL":
        sizes = [int(part.name) for part in parts]
        precision, scale = (sizes + [38, 0][len(sizes) :])[:2]
        return f"DECIMAL({precision},{scale})"
    if name in ("ARRAY", "LIST") and len(parts) == 1:
        return target(parts[0]) + "[]"
    if name == "MAP" and len(parts) == 2:
        return f"MAP({target(parts[0])}, {target(parts[1])})"
    if name == "STRUCT" and parts and all(isinstance(part, exp.ColumnDef) for part in parts):
        return "STRUCT(" + ", ".join(f'"{part.name}" {target(part.args["kind"])}' for part in parts) + ")"
    if name in ("DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIME", "VARBINARY"):
        raise QueryError(f"TYPE_MISMATCH: Cannot cast json to {wanted.sql(dialect='trino').lower()}")
    raise UnsupportedError(f"CAST of json to {wanted.sql(dialect='trino')}")


def cast(value: exp.Expr, source: str | None, wanted: exp.DataType, *, safe: bool) -> Fragment:
    """Translates a cast to or from JSON.

    Args:
        value: The translated value.
        source: Its DuckDB type; None if it is not known.
        wanted: The target type.
        safe: Whether it is a TRY_CAST.

    Raises:
        QueryError: Trino has no such cast.
        UnsupportedError: The type of the value is not known.
    """
    if source == "JSON":
        kind = target(wanted)
        if not castable(kind, to_json=False):
            raise QueryError(f"TYPE_MISMATCH: Cannot cast json to {kind.lower()}")
        if kind == "JSON":
            return Fragment(this=bracketed(value))
        written = f"{from_json(kind, functions.FUNCTIONS)}(CAST({bracketed(value)} AS VARCHAR))"
        written = f"CAST({written} AS {kind})" if "JSON" in kind else written
        return Fragment(this=f"TRY({written})" if safe else written)
    if source is None:
        raise UnsupportedError(f"CAST({text(value)} AS json)", "The type of the value is not known here.")
    if source == '"NULL"':
        return Fragment(this="CAST(NULL AS JSON)")
    if not castable(source, to_json=True):
        raise QueryError(f"TYPE_MISMATCH: Cannot cast {source.lower()} to json")
    kind = printing.without_times(source).replace("'", "''")
    return Fragment(this=f"py_to_json('{kind}', {printing.text_of_times(bracketed(value), source)})")


# --- functions -----------------------------------------------------------------------------------------------------


def _json(call: FunctionCall) -> str:
    """The text of the first argument, which is JSON or varchar."""
    found = call.type(0)
    if found == "JSON":
        return f"CAST({call[0]} AS VARCHAR)"
    if found not in ("VARCHAR", '"NULL"', None):
        raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters ({found.lower()}) for function {call.name}")
    return call[0]


def _with_path(name: str) -> Translation:
    def handler(call: FunctionCall) -> Fragment:
        if (path := constant(call, 1)) is not None:
            path_steps(path)
        elif call.type(1) not in ("VARCHAR", '"NULL"', None):
            raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters for function {name}: the path is no varchar")
        return Fragment(this=f"py_{name}({_json(call)}, {call[1]})")

    return Translation(2, 2, handler)


def _of_json(name: str) -> Translation:
    return Translation(1, 1, lambda call: Fragment(this=f"py_{name}({_json(call)})"))


@translation(1)
def _json_parse(call: FunctionCall) -> Fragment:
    call.require("varchar")
    return call.fill("py_json_parse({0})")


@translation(1)
def _json_format(call: FunctionCall) -> Fragment:
    call.require("json")
    return call.fill("CAST({0} AS VARCHAR)")


@translation(2)
def _json_array_get(call: FunctionCall) -> Fragment:
    call.require("any", "number")
    return Fragment(this=f"py_json_array_get({_json(call)}, CAST({call[1]} AS BIGINT))")


@translation(2)
def _json_array_contains(call: FunctionCall) -> Fragment:
    found = call.known_type(1)
    suffix, kind = "v", "VARCHAR"
    if found == "BOOLEAN":
        suffix, kind = "b", "BOOLEAN"
    elif found in INTEGERS:
        suffix, kind = "n", "BIGINT"
    elif found in REALS or found.startswith("DECIMAL"):
        suffix, kind = "d", "DOUBLE"
    elif found not in ("VARCHAR", '"NULL"'):
        raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters ({found.lower()}) for json_array_contains")
    return Fragment(this=f"py_json_array_contains_{suffix}({_json(call)}, CAST({call[1]} AS {kind}))")


TABLE: dict[str, Translation] = {
    "json_extract": _with_path("json_extract"),
    "json_extract_scalar": _with_path("json_extract_scalar"),
    "json_size": _with_path("json_size"),
    "json_parse": _json_parse,
    "json_format": _json_format,
    "json_array_length": _of_json("json_array_length"),
    "json_array_get": _json_array_get,
    "json_array_contains": _json_array_contains,
    "is_json_scalar": _of_json("is_json_scalar"),
}
