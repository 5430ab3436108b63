"""Trino's functions of text in DuckDB.

DuckDB's own functions are used where they surely agree (mostly: for literal arguments, or ASCII); the others are
written in Python, in ``athena.functions``. Differences are those of DuckDB 1.5.5.
"""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator import casts
from infra.localcloud.athena.translator.calls import MANY, FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.fragments import Fragment, bracketed, fragment, text
from infra.localcloud.athena.types import trino_type

# Java's whitespace, which Trino trims; DuckDB trims blanks only.
_WHITESPACE = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a"
    "\u2028\u2029\u205f\u3000"
)
_NO_LIMIT = 2**31 - 1
_FORMS = ("NFC", "NFD", "NFKC", "NFKD")


def constant(call: FunctionCall, index: int) -> str | None:
    """Returns the text of an argument that is a text literal; None if it is not."""
    if index >= len(call.args):
        return None
    argument = call.args[index].unnest()
    return str(argument.this) if isinstance(argument, exp.Literal) and argument.is_string else None


def _positive(call: FunctionCall, index: int) -> bool:
    argument = call.args[index].unnest()
    return isinstance(argument, exp.Literal) and not argument.is_string and 0 < int(argument.this) < _NO_LIMIT


@translation(2, MANY)
def _concat(call: FunctionCall) -> Fragment:
    if call.is_array(0):
        call.require("array")
    else:
        call.require("binary" if call.is_binary(0) else "varchar")
    return Fragment(this="(" + " || ".join(map(bracketed, call.args)) + ")")


@translation(2, MANY)
def _concat_ws(call: FunctionCall) -> Fragment:
    if len(call.args) == 2 and call.is_array(1):
        if call.known_type(1) != "VARCHAR[]":
            raise QueryError("FUNCTION_NOT_FOUND: concat_ws needs an array of varchar")
        return call.fill("CASE WHEN {0} IS NOT NULL THEN array_to_string({1}, {0}) END")
    call.require("varchar")
    return Fragment(this=f"concat_ws({call.all_args()})")


@translation(1)
def _length(call: FunctionCall) -> Fragment:
    binary = call.is_binary(0)
    call.require("binary" if binary else "varchar")
    return call.fill("octet_length({0})" if binary else "length({0})")


@translation(2, 3)
def _substr(call: FunctionCall) -> Fragment:
    if call.is_binary(0):
        call.require("binary", "number")
        size = "CAST({2} AS BIGINT)" if len(call.args) == 3 else "octet_length({0})"
        return call.fill(f"py_substr_bytes({{0}}, CAST({{1}} AS BIGINT), {size})")
    call.require("varchar", "number")
    return call.fill("trino_substr3({0}, {1}, {2})" if len(call.args) == 3 else "trino_substr({0}, {1})")


@translation(1)
def _reverse(call: FunctionCall) -> Fragment:
    if call.is_binary(0):
        return call.fill("py_reverse_bytes({0})")
    call.require("varchar")
    # DuckDB reverses grapheme clusters, Trino code points; only ASCII has neither.
    return call.fill("CASE WHEN strlen({0}) = length({0}) THEN reverse({0}) ELSE py_reverse({0}) END")


@translation(2, 3)
def _replace(call: FunctionCall) -> Fragment:
    call.require("varchar")
    replacement = "{2}" if len(call.args) == 3 else "''"
    if constant(call, 1):
        return call.fill(f"replace({{0}}, {{1}}, {replacement})")
    # DuckDB replaces nothing if the search text is empty; Trino puts the replacement around every code point.
    return call.fill(
        f"CASE WHEN {{1}} = '' THEN py_replace({{0}}, {{1}}, {replacement}) "
        f"ELSE replace({{0}}, {{1}}, {replacement}) END"
    )


def trim(name: str, value: str, characters: str | None = None) -> Fragment:
    """Translates a trim function.

    Args:
        name: trim, ltrim or rtrim.
        value: The DuckDB text of the value.
        characters: The DuckDB text of the characters to trim; None for whitespace.
    """
    return Fragment(this=f"{name}({value}, {characters or _quoted(_WHITESPACE)})")


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _trim(name: str) -> Translation:
    def handler(call: FunctionCall) -> Fragment:
        call.require("varchar")
        return trim(name, call[0], call[1] if len(call.args) == 2 else None)

    return Translation(1, 2, handler)


def _pad(name: str) -> Translation:
    def handler(call: FunctionCall) -> Fragment:
        if call.is_binary(0):
            call.require("binary", "number", "binary")
            return call.fill(f"py_{name}_bytes({{0}}, CAST({{1}} AS BIGINT), {{2}})")
        call.require("varchar", "number", "varchar")
        if constant(call, 2) and _positive(call, 1):
            return call.fill(f"{name}({{0}}, CAST({{1}} AS INTEGER), {{2}})")
        return call.fill(f"py_{name}({{0}}, CAST({{1}} AS BIGINT), {{2}})")

    return Translation(3, 3, handler)


@translation(2, 3)
def _split(call: FunctionCall) -> Fragment:
    call.require("varchar", "varchar", "number")
    if len(call.args) == 2:
        return call.fill("string_split({0}, {1})" if constant(call, 1) else f"py_split({{0}}, {{1}}, {_NO_LIMIT})")
    return call.fill("py_split({0}, {1}, CAST({2} AS BIGINT))")


@translation(3)
def _split_part(call: FunctionCall) -> Fragment:
    call.require("varchar", "varchar", "number")
    if constant(call, 1) and _positive(call, 2):
        return call.fill("string_split({0}, {1})[{2}]")
    return call.fill("py_split_part({0}, {1}, CAST({2} AS BIGINT))")


@translation(2, 3)
def _strpos(call: FunctionCall) -> Fragment:
    call.require("varchar", "varchar", "number")
    if len(call.args) == 2:
        return call.fill("CAST(strpos({0}, {1}) AS BIGINT)")
    return call.fill("py_strpos({0}, {1}, CAST({2} AS BIGINT))")


@translation(2)
def _levenshtein(call: FunctionCall) -> Fragment:
    call.require("varchar")
    # DuckDB counts bytes.
    return call.fill(
        "CASE WHEN strlen({0}) = length({0}) AND strlen({1}) = length({1}) AND strlen({0}) * strlen({1}) <= 1000000"
        " THEN CAST(levenshtein({0}, {1}) AS BIGINT) ELSE py_levenshtein({0}, {1}) END"
    )


@translation(1, 2)
def _normalize(call: FunctionCall) -> Fragment:
    form = call.args[1] if len(call.args) == 2 else exp.column("NFC")
    name = form.name.upper() if isinstance(form, exp.Column) else ""
    if name not in _FORMS:
        raise QueryError("SYNTAX_ERROR: the form of normalize must be one of the words NFC, NFD, NFKC, NFKD")
    return fragment("py_normalize({0}, '" + name + "')", call.args[0])


@translation(2, MANY)
def _format(call: FunctionCall) -> Fragment:
    for index in range(1, len(call.args)):
        if call.is_array(index) or call.is_map(index) or call.is_binary(index):
            raise UnsupportedError(f"format of {call.known_type(index).lower()}")
    return Fragment(this=f"py_format({call.all_args()})")


@translation(1)
def _typeof(call: FunctionCall) -> Fragment:
    found = call.known_type(0)
    if "VARCHAR" in found:
        raise UnsupportedError("typeof of varchar", "The length in varchar(n) is not known here.")
    return Fragment(this=_quoted(trino_type(found)))


@translation(2, 3)
def _array_join(call: FunctionCall) -> Fragment:
    call.require("array", "varchar")
    element = call.known_type(0)[:-2]
    written = text(casts.to_varchar(Fragment(this="nj_element"), element))
    if len(call.args) == 3:
        written = f"coalesce({written}, {call[2]})"
    items = call[0]
    if written != "CAST(nj_element AS VARCHAR)" or element != "VARCHAR":
        items = f"list_transform({call[0]}, lambda nj_element: {written})"
    return Fragment(this=f"CASE WHEN {call[1]} IS NOT NULL THEN array_to_string({items}, {call[1]}) END")


_V, _N = "varchar", "number"
ARRAY_JOIN = _array_join
TABLE: dict[str, Translation] = {
    "concat": _concat,
    "concat_ws": _concat_ws,
    "length": _length,
    "substr": _substr,
    "substring": _substr,
    # DuckDB writes 'ß' in capitals as 'ẞ' and 'İ' in small letters as two code points; Java's simple mappings do not.
    "lower": template("lower(replace({0}, 'İ', 'i'))", _V),
    "upper": template("CASE WHEN contains({0}, 'ß') THEN py_upper({0}) ELSE upper({0}) END", _V),
    "reverse": _reverse,
    "trim": _trim("trim"),
    "ltrim": _trim("ltrim"),
    "rtrim": _trim("rtrim"),
    "replace": _replace,
    "lpad": _pad("lpad"),
    "rpad": _pad("rpad"),
    "strpos": _strpos,
    "starts_with": template("starts_with({0}, {1})", _V, _V),
    "split": _split,
    "split_part": _split_part,
    "split_to_map": template("py_split_to_map({0}, {1}, {2})", _V, _V, _V),
    "split_to_multimap": template("py_split_to_multimap({0}, {1}, {2})", _V, _V, _V),
    "chr": template("py_chr(CAST({0} AS BIGINT))", _N),
    "codepoint": template("py_codepoint({0})", _V),
    "translate": template("py_translate({0}, {1}, {2})", _V, _V, _V),
    "levenshtein_distance": _levenshtein,
    "hamming_distance": template("py_hamming({0}, {1})", _V, _V),
    "normalize": _normalize,
    "soundex": template("py_soundex({0})", _V),
    "luhn_check": template("py_luhn_check({0})", _V),
    "format": _format,
    "typeof": _typeof,
    "uuid": template("uuid()"),
}
