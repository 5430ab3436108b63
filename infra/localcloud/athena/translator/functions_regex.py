"""Trino's regular expression functions in DuckDB: RE2 for constant patterns that mean the same there, else Python."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import UnsupportedError
from infra.localcloud.athena.functions.java_regex import compiled, re2
from infra.localcloud.athena.functions.regex import check_group, replacement_pieces
from infra.localcloud.athena.translator.calls import FunctionCall, Translation, translation
from infra.localcloud.athena.translator.fragments import Fragment
from infra.localcloud.athena.translator.functions_text import constant


def _native(pattern: str | None) -> str | None:
    """Returns the quoted RE2 text of a constant pattern; None if Python must search."""
    written = None if pattern is None else re2(pattern)
    return None if written is None else "'" + written.replace("'", "''") + "'"


@translation(2)
def _regexp_like(call: FunctionCall) -> Fragment:
    call.require("varchar")
    if native := _native(constant(call, 1)):
        return call.fill("regexp_matches({0}, " + native.replace("{", "{{").replace("}", "}}") + ")")
    return call.fill("py_regexp_like({0}, {1})")


def _group(call: FunctionCall) -> str:
    """The text of the group's number; a group that the pattern does not have fails at once."""
    if len(call.args) < 3:
        return "0"
    pattern, group = constant(call, 1), call.args[2].unnest()
    if pattern is not None and isinstance(group, exp.Literal) and not group.is_string:
        check_group(pattern, int(group.this))
    return f"CAST({call[2]} AS BIGINT)"


@translation(2, 3)
def _regexp_extract(call: FunctionCall) -> Fragment:
    call.require("varchar", "varchar", "number")
    pattern = constant(call, 1)
    # Without groups and alternatives RE2 finds the same first match, not only one somewhere.
    if len(call.args) == 2 and pattern is not None and not set("(|$") & set(pattern) and (native := _native(pattern)):
        return Fragment(
            this=f"CASE WHEN regexp_matches({call[0]}, {native}) THEN regexp_extract({call[0]}, {native}) END"
        )
    return Fragment(this=f"py_regexp_extract({call[0]}, {call[1]}, {_group(call)})")


@translation(2, 3)
def _regexp_extract_all(call: FunctionCall) -> Fragment:
    call.require("varchar", "varchar", "number")
    return Fragment(this=f"py_regexp_extract_all({call[0]}, {call[1]}, {_group(call)})")


@translation(2, 3)
def _regexp_replace(call: FunctionCall) -> Fragment:
    if len(call.args) == 2:
        call.require("varchar")
        return call.fill("py_regexp_replace({0}, {1}, '')")
    if call.args[2].args.get("this") and str(call.args[2].args["this"]).startswith("lambda "):
        raise UnsupportedError("regexp_replace with a lambda", "Use $1 in a replacement text.")
    call.require("varchar")
    pattern, replacement = constant(call, 1), constant(call, 2)
    if pattern is not None and replacement is not None and compiled(pattern):
        replacement_pieces(pattern, replacement)
    return call.fill("py_regexp_replace({0}, {1}, {2})")


def _plain(name: str) -> Translation:
    def handler(call: FunctionCall) -> Fragment:
        call.require("varchar")
        if (pattern := constant(call, 1)) is not None:
            compiled(pattern)
        return call.fill(f"py_{name}({{0}}, {{1}})")

    return Translation(2, 2, handler)


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
    "regexp_split": _plain("regexp_split"),
    "regexp_count": _plain("regexp_count"),
    "regexp_position": _regexp_position,
}
