r"""JSON as Trino reads and writes it: by Jackson's rules, with numbers in their own text until a value is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from infra.localcloud.athena.functions.text import wrong_argument
from infra.localcloud.athena.values import double_text

_SPACE = re.compile(r"[ \t\r\n]*")
# A member of an object whose key and value need no decoding, with the sign after it: most of them are.
_SIMPLE_MEMBER = re.compile(
    r'"([^"\\\x00-\x1f]*)"[ \t\r\n]*:[ \t\r\n]*'
    r'("[^"\\\x00-\x1f]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null)'
    r"[ \t\r\n]*([,}])[ \t\r\n]*"
)
_NUMBER_END = re.compile(r"[0-9.eE]")
_WORD = re.compile(r"\w|\$")
_ESCAPED = re.compile(r'[\x00-\x1f"\\]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SURROGATES = re.compile("[\ud800-\udfff]")
_STEP = re.compile(r'\.([\w:]+)|\[(\w+)\]|\["((?:[^"\\]|\\["\\])*)"\]')
_LONGEST_INTEGER = 4000


class Whole(str):
    """The text of a JSON number without fraction and exponent."""


class Fraction(str):
    """The text of any other JSON number."""


class Pairs(list[tuple[str, Any]]):
    """A JSON object in its own order; a key may occur twice."""


def _not_json(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_int=Whole, parse_float=Fraction, parse_constant=_not_json, strict=True
)


def skip_space(text: str, index: int) -> int:
    """Returns the index of the next token."""
    found = _SPACE.match(text, index)
    return found.end() if found else index


def read_value(text: str, index: int, *, root: bool = False) -> tuple[Any, int]:
    """Reads the value that begins at an index.

    Returns:
        The value, and the index after it.

    Raises:
        ValueError: There is no JSON value.
    """
    value, end = _decoder.raw_decode(text, index)
    if isinstance(value, Whole | Fraction):
        following = text[end : end + 1]
        if _NUMBER_END.match(following) or (root and following and following not in " \t\r\n"):
            raise ValueError("no JSON number")
    elif (value is None or isinstance(value, bool)) and _WORD.match(text, end):
        raise ValueError("no JSON literal")
    return value, end


def read_document(text: str) -> Any:
    """Reads a text that is one JSON value.

    Raises:
        ValueError: It is not.
    """
    value, end = read_value(text, skip_space(text, 0), root=True)
    if skip_space(text, end) != len(text):
        raise ValueError("text after the JSON value")
    return value


def clean(text: str) -> str:
    """Replaces halves of surrogate pairs by question marks, as Java's UTF-8 encoder does."""
    return _SURROGATES.sub("?", text)


def quoted(text: str) -> str:
    """Writes a JSON string."""
    return '"' + _ESCAPED.sub(lambda found: _SHORT.get(found[0]) or f"\\u{ord(found[0]):04X}", clean(text)) + '"'


def number_text(value: float) -> str:
    """Writes a double in JSON; NaN and the infinities become strings."""
    written = double_text(value)
    return written if written[-1].isdigit() else f'"{written}"'


def write(value: Any, *, canonical: bool = False) -> str:
    """Writes a value that was read.

    Args:
        value: The value.
        canonical: Whether keys are sorted, and of equal ones only the last remains, as ``json_parse`` does.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Whole):
        return str(value) if len(value) > _LONGEST_INTEGER else str(int(value))
    if isinstance(value, Fraction):
        return number_text(float(value))
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Pairs):
        pairs = sorted(dict(value).items(), key=lambda pair: utf16(pair[0])) if canonical else value
        return "{" + ",".join(f"{quoted(key)}:{write(item, canonical=canonical)}" for key, item in pairs) + "}"
    return "[" + ",".join(write(item, canonical=canonical) for item in value) + "]"


def utf16(key: str) -> bytes:
    """Returns a key by which texts sort as Java's do."""
    return key.encode("utf-16-be", "surrogatepass")


@lru_cache(maxsize=1024)
def path_steps(path: str) -> tuple[str, ...]:
    """Splits a path such as ``$.a["b c"][0]``.

    Raises:
        QueryError: It is no path that Trino's json_extract knows.
    """
    wrong = wrong_argument(f"Invalid JSON path: '{path}'")
    if not path.startswith("$"):
        raise wrong
    steps, index = [], 1
    while index < len(path):
        matched = _STEP.match(path, index)
        if not matched:
            raise wrong
        quoted_step = matched[3]
        steps.append(
            matched[1] or matched[2] if quoted_step is None else re.sub(r"\\(.)", r"\1", quoted_step, flags=re.DOTALL)
        )
        index = matched.end()
    return tuple(steps)


def locate(text: str, path: str) -> int | None:
    """Finds the value at a path; what follows it in the text may be wrong, because Trino stops reading there too.

    Returns:
        The index at which the value begins; None if there is none.

    Raises:
        ValueError: The text before it is no JSON.
    """
    index = skip_space(text, 0)
    for step in path_steps(path):
        found = _in_object(text, index, step) if text[index : index + 1] == "{" else _in_array(text, index, step)
        if found is None:
            return None
        index = found
    return index


def _expect(text: str, index: int, *signs: str) -> str:
    sign = text[index : index + 1]
    if sign not in signs:
        raise ValueError(f"expected one of {signs}")
    return sign


def _in_object(text: str, index: int, step: str) -> int | None:
    index = skip_space(text, index + 1)
    if text[index : index + 1] == "}":
        return None
    while True:
        if simple := _SIMPLE_MEMBER.match(text, index):
            if simple[1] == step:
                return simple.start(2)
            sign, index = simple[3], simple.end()
        else:
            key, index = _key(text, index)
            if key == step:
                return index
            index = skip_space(text, read_value(text, index)[1])
            sign, index = _expect(text, index, ",", "}"), skip_space(text, index + 1)
        if sign == "}":
            return None


def _key(text: str, index: int) -> tuple[str, int]:
    """Reads a key, and returns the index of its value."""
    _expect(text, index, '"')
    key, index = read_value(text, index)
    index = skip_space(text, index)
    _expect(text, index, ":")
    return key, skip_space(text, index + 1)


def _in_array(text: str, index: int, step: str) -> int | None:
    wanted = int(step) if re.fullmatch(r"\d{1,10}", step) else -1
    for count, position in enumerate(elements(text, index)):
        if count == wanted:
            return position
    return None


def elements(text: str, index: int) -> Iterator[int]:
    """Yields the index of each element of the array that begins at an index.

    Raises:
        ValueError: No array begins there.
    """
    _expect(text, index, "[")
    index = skip_space(text, index + 1)
    if text[index : index + 1] == "]":
        return
    while True:
        yield index
        index = skip_space(text, read_value(text, index)[1])
        if _expect(text, index, ",", "]") == "]":
            return
        index = skip_space(text, index + 1)
