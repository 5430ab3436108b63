"""Trino's regular expression functions in DuckDB: RE2 for constant patterns that mean the same there, else Python."""

from __future__ import annotations

import re

from sqlglot import exp

from infra.localcloud.athena.functions.java_regex import compiled, re2
from infra.localcloud.athena.functions.regex import check_group, replacement_pieces
from infra.localcloud.athena.translator.calls import FunctionCall, Translation, translation
from infra.localcloud.athena.translator.fragments import Fragment
from infra.localcloud.athena.translator.functions_text import constant

# Where RE2 may find the same texts by other matches: $ (rewritten), alternatives, and quantified groups.
_OTHER_MATCHES = re.compile(r"[$|]|\)[*+?{]")


def _native(call: FunctionCall, *, only_whether: bool = False) -> str | None:
    """Returns the quoted RE2 text of a constant pattern; None if Python must search.

    Args:
        call: The call; the pattern is its second argument.
        only_whether: Whether only the existence of a match matters, not where and how often it is.
    """
    pattern = constant(call, 1)
    written = None if pattern is None else re2(pattern)
    if pattern is None or written is None:
        return None
    if not only_whether and (_OTHER_MATCHES.search(pattern) or compiled(pattern).search("")):
        return None
    return "'" + written.replace("'", "''") + "'"


def _group(call: FunctionCall) -> str:
    """The text of the group's number; a group that the pattern does not have fails at once."""
    if len(call.args) < 3:
        return "0"
    pattern, group = constant(call, 1), call.args[2].unnest()
    if isinstance(group, exp.Literal) and not group.is_string:
        if pattern is not None:
            check_group(pattern, int(group.this))
        return str(group.this)
    return f"CAST({call[2]} AS BIGINT)"


@translation(2)
def _regexp_like(call: FunctionCall) -> Fragment:
    call.require("varchar")
    native = _native(call, only_whether=True)
    return Fragment(this=f"regexp_matches({call[0]}, {native})" if native else f"py_regexp_like({call.all_args()})")


@translation(2, 3)
def _regexp_extract(call: FunctionCall) -> Fragment:
    call.require("varchar", "varchar", "number")
    native, group = _native(call), _group(call)
    if native and group.isdigit():
        found = f"regexp_extract({call[0]}, {native}, {group})"
        return Fragment(this=f"CASE WHEN regexp_matches({call[0]}, {native}) THEN {found} END")
    return Fragment(this=f"py_regexp_extract({call[0]}, {call[1]}, {group})")


@translation(2, 3)
def _regexp_extract_all(call: FunctionCall) -> Fragment:
    call.require("varchar", "varchar", "number")
    native, group = _native(call), _group(call)
    if native and group.isdigit():
        return Fragment(this=f"regexp_extract_all({call[0]}, {native}, {group})")
    return Fragment(this=f"py_regexp_extract_all({call[0]}, {call[1]}, {group})")


@translation(2, 3)
def _regexp_replace(call: FunctionCall) -> Fragment:
    if len(call.args) == 3 and str(call.args[2].args.get("this")).startswith("lambda "):
        replaced = f"list_transform(py_regexp_groups({call[0]}, {call[1]}), {call[2]})"
        return Fragment(this=f"py_regexp_join(py_regexp_split({call[0]}, {call[1]}), {replaced})")
    call.require("varchar")
    pattern, replacement = constant(call, 1), constant(call, 2) if len(call.args) == 3 else ""
    if pattern is not None and replacement is not None:
        pieces = replacement_pieces(pattern, replacement)
        # RE2 knows the groups 0 to 9 only.
        if (native := _native(call)) and all(piece in range(10) for piece in pieces if isinstance(piece, int)):
            written = "".join(
                f"\\{piece}" if isinstance(piece, int) else piece.replace("\\", r"\\") for piece in pieces
            )
            return Fragment(this=f"regexp_replace({call[0]}, {native}, '{written.replace(chr(39), chr(39) * 2)}', 'g')")
    return Fragment(this=f"py_regexp_replace({call[0]}, {call[1]}, {call[2] if len(call.args) == 3 else chr(39) * 2})")


@translation(2)
def _regexp_split(call: FunctionCall) -> Fragment:
    call.require("varchar")
    native = _native(call)
    return Fragment(
        this=f"string_split_regex({call[0]}, {native})" if native else f"py_regexp_split({call.all_args()})"
    )


@translation(2)
def _regexp_count(call: FunctionCall) -> Fragment:
    call.require("varchar")
    native = _native(call)
    if native:
        return Fragment(this=f"CAST(len(regexp_extract_all({call[0]}, {native})) AS BIGINT)")
    return Fragment(this=f"py_regexp_count({call.all_args()})")


@translation(2, 4)
def _regexp_position(call: FunctionCall) -> Fragment:
    call.require("varchar", "varchar", "number")
    numbers = [f"CAST({call[index]} AS BIGINT)" if len(call.args) > index else "1" for index in (2, 3)]
    return Fragment(this=f"py_regexp_position({call[0]}, {call[1]}, {', '.join(numbers)})")


TABLE: dict[str, Translation] = {
    "regexp_like": _regexp_like,
    "regexp_extract": _regexp_extract,
    "regexp_extract_all": _regexp_extract_all,
    "regexp_replace": _regexp_replace,
    "regexp_split": _regexp_split,
    "regexp_count": _regexp_count,
    "regexp_position": _regexp_position,
}
