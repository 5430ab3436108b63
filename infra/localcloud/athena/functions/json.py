"""Trino's JSON functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.functions import json_text
from infra.localcloud.athena.functions.json_text import Fraction, Pairs, Whole
from infra.localcloud.athena.functions.python import PythonFunction
from infra.localcloud.athena.functions.text import wrong_argument


def _parse(text: str) -> str:
    try:
        return json_text.write(json_text.read_document(text), canonical=True)
    except ValueError:
        raise wrong_argument(f"Cannot convert value to JSON: '{text}'") from None


def parse_literal(text: str) -> str:
    """Reads the text of ``JSON '…'``.

    Raises:
        QueryError: It is no JSON.
    """
    try:
        return _parse(text)
    except QueryError:
        raise QueryError(f"INVALID_LITERAL: '{text}' is not a valid JSON literal") from None


def _extract(text: str, path: str) -> str | None:
    try:
        index = json_text.locate(text, path)
        if index is None or index >= len(text):
            return None
        return json_text.write(json_text.read_value(text, index, root=path == "$")[0])
    except ValueError:
        return None


def _extract_scalar(text: str, path: str) -> str | None:
    try:
        index = json_text.locate(text, path)
        if index is None or text[index : index + 1] in ("", "{", "["):
            return None
        value, _ = json_text.read_value(text, index, root=path == "$")
    except ValueError:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else json_text.clean(value)


def _size(text: str, path: str) -> int | None:
    try:
        index = json_text.locate(text, path)
        if index is None or index >= len(text):
            return None
        value, _ = json_text.read_value(text, index, root=path == "$")
    except ValueError:
        return None
    return len(value) if isinstance(value, list) else 0


def _array_length(text: str) -> int | None:
    try:
        return sum(1 for _ in json_text.elements(text, json_text.skip_space(text, 0)))
    except ValueError:
        return None


def _array_contains(matches: Callable[[Any, Any], bool]) -> Callable[[str, Any], bool | None]:
    def contains(text: str, wanted: Any) -> bool | None:
        try:
            return any(
                matches(json_text.read_value(text, index)[0], wanted)
                for index in json_text.elements(text, json_text.skip_space(text, 0))
            )
        except ValueError:
            return None

    return contains


def _same_double(value: Any, wanted: float) -> bool:
    return isinstance(value, Fraction) and math.isfinite(float(value)) and float(value) == wanted


def _same_text(value: Any, wanted: str) -> bool:
    return isinstance(value, str) and not isinstance(value, Whole | Fraction) and value == wanted


def _array_get(text: str, index: int) -> str | None:
    try:
        value = json_text.read_document(text)
    except ValueError:
        return None
    if isinstance(value, Pairs) or not isinstance(value, list) or not -len(value) <= index < len(value):
        return None
    found = value[index]
    if isinstance(found, Whole | Fraction):
        return str(found)
    if isinstance(found, str):
        raise UnsupportedError("json_array_get of a string", "Trino returns invalid JSON there; use json_extract.")
    return None if found is None else json_text.write(found)


def _is_scalar(text: str) -> bool:
    try:
        return not isinstance(json_text.read_document(text), list)
    except ValueError:
        raise wrong_argument(f"Invalid JSON value: {text}") from None


def _function(name: str, call: Callable[..., Any], parameters: str, returns: str) -> PythonFunction:
    kinds = {"v": "VARCHAR", "n": "BIGINT", "d": "DOUBLE", "b": "BOOLEAN"}
    return PythonFunction(name, call, tuple(kinds[letter] for letter in parameters), returns)


FUNCTIONS = (
    _function("py_json_parse", _parse, "v", "JSON"),
    _function("py_json_extract", _extract, "vv", "JSON"),
    _function("py_json_extract_scalar", _extract_scalar, "vv", "VARCHAR"),
    _function("py_json_size", _size, "vv", "BIGINT"),
    _function("py_json_array_length", _array_length, "v", "BIGINT"),
    _function("py_json_array_get", _array_get, "vn", "JSON"),
    _function("py_is_json_scalar", _is_scalar, "v", "BOOLEAN"),
    _function("py_json_array_contains_b", _array_contains(lambda value, wanted: value is wanted), "vb", "BOOLEAN"),
    _function(
        "py_json_array_contains_n",
        _array_contains(lambda value, wanted: isinstance(value, Whole) and int(value) == wanted),
        "vn",
        "BOOLEAN",
    ),
    _function("py_json_array_contains_d", _array_contains(_same_double), "vd", "BOOLEAN"),
    _function("py_json_array_contains_v", _array_contains(_same_text), "vv", "BOOLEAN"),
)
