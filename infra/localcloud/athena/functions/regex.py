"""Trino's regular expression functions, with Python's ``regex``, which has lookaround and back references."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.functions.java_regex import compiled
from infra.localcloud.athena.functions.python import PythonFunction
from infra.localcloud.athena.functions.text import wrong_argument

# A search that backtracks for ever must not stop the local cloud: it ends after so many seconds.
TIMEOUT_SECONDS = 60.0
# A quantifier after a group, and a back reference: only with these the time of a search can grow exponentially.
_RISKY = re.compile(r"\)[*+?{]|\\[1-9k]")
_Match = Any


@lru_cache(maxsize=1024)
def _is_risky(pattern: str) -> bool:
    return _RISKY.search(pattern) is not None


def _options(pattern: str) -> dict[str, Any]:
    return {"concurrent": True, "timeout": TIMEOUT_SECONDS} if _is_risky(pattern) else {}


def _too_long(pattern: str) -> QueryError:
    return QueryError(f"EXCEEDED_TIME_LIMIT: the regular expression took too long: {pattern}")


def _search(pattern: str, text: str) -> _Match | None:
    try:
        return compiled(pattern).search(text, **_options(pattern))
    except TimeoutError:
        raise _too_long(pattern) from None


def _matches(pattern: str, text: str, start: int = 0) -> Iterator[_Match]:
    """Yields the matches from left to right; after an empty one the search goes on one code point further."""
    try:
        yield from compiled(pattern).finditer(text, start, **_options(pattern))
    except TimeoutError:
        raise _too_long(pattern) from None


def check_group(pattern: str, group: int) -> None:
    """Checks that a pattern has a group.

    Raises:
        QueryError: It has not.
    """
    groups = compiled(pattern).groups
    if group < 0:
        raise wrong_argument("Group cannot be negative")
    if group > groups:
        raise wrong_argument(f"Pattern has {groups} groups. Cannot access group {group}")


def _like(text: str, pattern: str) -> bool:
    return _search(pattern, text) is not None


def _extract(text: str, pattern: str, group: int) -> str | None:
    check_group(pattern, group)
    match = _search(pattern, text)
    return None if match is None else match[group]


def _extract_all(text: str, pattern: str, group: int) -> list[str | None]:
    check_group(pattern, group)
    return [match[group] for match in _matches(pattern, text)]


def _split(text: str, pattern: str) -> list[str]:
    parts, end = [], 0
    for match in _matches(pattern, text):
        parts.append(text[end : match.start()])
        end = match.end()
    return [*parts, text[end:]]


def _count(text: str, pattern: str) -> int:
    return sum(1 for _ in _matches(pattern, text))


def _position(text: str, pattern: str, start: int, occurrence: int) -> int:
    if start < 1:
        raise wrong_argument("start position cannot be smaller than 1")
    if occurrence < 1:
        raise wrong_argument("occurrence cannot be smaller than 1")
    if start > len(text):
        return -1
    for count, match in enumerate(_matches(pattern, text, start - 1), 1):
        if count == occurrence:
            return int(match.start()) + 1
    return -1


@lru_cache(maxsize=1024)
def replacement_pieces(pattern: str, replacement: str) -> tuple[str | int, ...]:
    r"""Splits a replacement into text and numbers of groups: ``$1``, ``${name}``, and ``\$`` for a dollar sign.

    Raises:
        QueryError: It is no replacement for this pattern.
    """
    pieces: list[str | int] = []
    index = 0
    while index < len(replacement):
        letter = replacement[index]
        if letter == "$":
            group, index = _reference(pattern, replacement, index + 1)
            pieces.append(group)
            continue
        if letter == "\\":
            index += 1
            if index == len(replacement):
                raise wrong_argument(f"Illegal replacement sequence: {replacement}")
        pieces.append(replacement[index])
        index += 1
    return tuple(pieces)


def _reference(pattern: str, replacement: str, index: int) -> tuple[int, int]:
    """The group that is named after a dollar sign, and where its name ends."""
    groups = compiled(pattern).groups
    if replacement[index : index + 1] == "{":
        name, _, _ = replacement[index + 1 :].partition("}")
        if name not in compiled(pattern).groupindex:
            raise wrong_argument(f"Illegal replacement sequence: unknown group {{ {name} }}")
        return int(compiled(pattern).groupindex[name]), index + len(name) + 2
    digit = replacement[index : index + 1]
    if not digit or digit not in "0123456789":
        raise wrong_argument(f"Illegal replacement sequence: {replacement}")
    group, index = int(digit), index + 1
    if group > groups:
        raise wrong_argument(f"Illegal replacement sequence: unknown group {group}")
    while replacement[index : index + 1] in tuple("0123456789") and group * 10 + int(replacement[index]) <= groups:
        group, index = group * 10 + int(replacement[index]), index + 1
    return group, index


@lru_cache(maxsize=1024)
def _python_template(pattern: str, replacement: str) -> str:
    pieces = replacement_pieces(pattern, replacement)
    return "".join(f"\\g<{piece}>" if isinstance(piece, int) else piece.replace("\\", "\\\\") for piece in pieces)


def _replace(text: str, pattern: str, replacement: str) -> str:
    if "$" in replacement or "\\" in replacement:
        if _search(pattern, text) is None:
            return text
        replacement = _python_template(pattern, replacement)
    try:
        return str(compiled(pattern).sub(replacement, text, **_options(pattern)))
    except TimeoutError:
        raise _too_long(pattern) from None


def _groups(text: str, pattern: str) -> list[list[str | None]]:
    return [list(match.groups()) for match in _matches(pattern, text)]


def _join(parts: list[str], replacements: list[str | None]) -> str | None:
    """Puts the results of a lambda between the parts of a split text."""
    if None in replacements:
        return None
    written = [parts[0]]
    for part, replacement in zip(parts[1:], replacements, strict=True):
        written += [replacement or "", part]
    return "".join(written)


def _function(name: str, call: Callable[..., Any], parameters: str, returns: str) -> PythonFunction:
    kinds = {"v": "VARCHAR", "n": "BIGINT", "a": "VARCHAR[]"}
    return PythonFunction(name, call, tuple(kinds[letter] for letter in parameters), returns)


FUNCTIONS = (
    _function("py_regexp_like", _like, "vv", "BOOLEAN"),
    _function("py_regexp_extract", _extract, "vvn", "VARCHAR"),
    _function("py_regexp_extract_all", _extract_all, "vvn", "VARCHAR[]"),
    _function("py_regexp_split", _split, "vv", "VARCHAR[]"),
    _function("py_regexp_count", _count, "vv", "BIGINT"),
    _function("py_regexp_position", _position, "vvnn", "INTEGER"),
    _function("py_regexp_replace", _replace, "vvv", "VARCHAR"),
    _function("py_regexp_groups", _groups, "vv", "VARCHAR[][]"),
    _function("py_regexp_join", _join, "aa", "VARCHAR"),
)
