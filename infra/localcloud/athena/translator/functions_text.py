"""Trino's functions of text, regular expressions, JSON and bytes in DuckDB."""

from __future__ import annotations

import re

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.calls import MANY, FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.fragments import Fragment, bracketed

# A pattern in which a group may take no part in a match: null in Trino, '' in DuckDB.
_OPTIONAL_GROUP = re.compile(r"\)[?*]|\)\{0|\|")


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
        return call.fill("array_to_string({1}, {0})")
    call.require("varchar")
    return Fragment(this=f"concat_ws({call.all_args()})")


@translation(1)
def _length(call: FunctionCall) -> Fragment:
    binary = call.is_binary(0)
    call.require("binary" if binary else "varchar")
    return call.fill("octet_length({0})" if binary else "length({0})")


@translation(2, 3)
def _substr(call: FunctionCall) -> Fragment:
    call.require("varchar", "number")
    return call.fill("trino_substr3({0}, {1}, {2})" if len(call.args) == 3 else "trino_substr({0}, {1})")


@translation(2, 3)
def _replace(call: FunctionCall) -> Fragment:
    call.require("varchar")
    return call.fill("replace({0}, {1}, {2})" if len(call.args) == 3 else "replace({0}, {1}, '')")


def _group(call: FunctionCall, index: int) -> str:
    """The group of a regular expression; a group that may be absent from a match is refused."""
    if len(call.args) <= index:
        return "0"
    group = call.literal(index)
    if group != "0" and _OPTIONAL_GROUP.search(call.literal(1)):
        raise UnsupportedError(
            f"{call.name} of a group that may be absent from a match",
            "Write the pattern without alternatives and optional groups.",
        )
    return group


@translation(2, 3)
def _regexp_extract(call: FunctionCall) -> Fragment:
    call.require("varchar", "varchar", "number")
    return call.fill(f"trino_regexp_extract({{0}}, {{1}}, {_group(call, 2)})")


@translation(2, 3)
def _regexp_extract_all(call: FunctionCall) -> Fragment:
    call.require("varchar", "varchar", "number")
    return call.fill(f"regexp_extract_all({{0}}, {{1}}, {_group(call, 2)})")


@translation(2, 3)
def _regexp_replace(call: FunctionCall) -> Fragment:
    call.require("varchar")
    replacement = call.literal(2) if len(call.args) == 3 else ""
    if (
        "${" in replacement
        or (re.search(r"\$[1-9]", replacement) and _OPTIONAL_GROUP.search(call.literal(1)))
        or re.search(r"\$\d\d", replacement)
    ):
        raise UnsupportedError("regexp_replace with this replacement", "Use $1 to $9 of groups that always match.")
    pieces = re.findall(r"\\.|\$\d|[^\\$]+|[\\$]", replacement)
    written = "".join(map(_replacement_piece, pieces)).replace("'", "''")
    return Fragment(this=f"regexp_replace({call[0]}, {call[1]}, '{written}', 'g')")


def _replacement_piece(piece: str) -> str:
    r"""A piece of Trino's replacement text in DuckDB's: ``$1`` becomes ``\1``, an escaped letter is the letter."""
    if re.fullmatch(r"\$\d", piece):
        return "\\" + piece[1]
    if piece[0] == "\\" and len(piece) == 2:
        piece = piece[1:]
    return piece.replace("\\", "\\\\")


@translation(2)
def _json_extract_scalar(call: FunctionCall) -> Fragment:
    call.require("varchar")
    path = re.sub(r"""\[["']([^"'\]]+)["']\]""", r'."\1"', call.literal(1))
    if not re.fullmatch(r"""\$(\.\w+|\."[^"]+"|\[\d+\])*""", path):
        raise UnsupportedError(f"json_extract_scalar with the path {path}", 'Use $.name, $["name"] and $[0].')
    return Fragment(this=f"trino_json_scalar({call[0]}, '{path.replace(chr(39), chr(39) * 2)}')")


_V, _N, _B = "varchar", "number", "binary"
TABLE: dict[str, Translation] = {
    "concat": _concat,
    "concat_ws": _concat_ws,
    "length": _length,
    "substr": _substr,
    "substring": _substr,
    "lower": template("lower({0})", _V),
    "upper": template("upper({0})", _V),
    "reverse": template("reverse({0})", _V),
    "trim": template("trim({0})", _V),
    "ltrim": template("ltrim({0})", _V),
    "rtrim": template("rtrim({0})", _V),
    "replace": _replace,
    "lpad": template("lpad({0}, CAST({1} AS INTEGER), {2})", _V, _N, _V),
    "rpad": template("rpad({0}, CAST({1} AS INTEGER), {2})", _V, _N, _V),
    "strpos": template("strpos({0}, {1})", _V, _V),
    "starts_with": template("starts_with({0}, {1})", _V, _V),
    "split": template("string_split({0}, {1})", _V, _V),
    "split_part": template("string_split({0}, {1})[trino_index({2})]", _V, _V, _N),
    "chr": template("chr(CAST({0} AS INTEGER))", _N),
    "codepoint": template("unicode({0})", _V),
    "translate": template("translate({0}, {1}, {2})", _V, _V, _V),
    "levenshtein_distance": template("levenshtein({0}, {1})", _V, _V),
    "hamming_distance": template("hamming({0}, {1})", _V, _V),
    "regexp_like": template("regexp_matches({0}, {1})", _V, _V),
    "regexp_extract": _regexp_extract,
    "regexp_extract_all": _regexp_extract_all,
    "regexp_replace": _regexp_replace,
    "regexp_split": template("string_split_regex({0}, {1})", _V, _V),
    "regexp_count": template("CAST(len(regexp_extract_all({0}, {1})) AS BIGINT)", _V, _V),
    "json_extract_scalar": _json_extract_scalar,
    "json_array_length": template("trino_json_array_length({0})", _V),
    "to_utf8": template("encode({0})", _V),
    "from_utf8": template("decode({0})", _B),
    "to_hex": template("hex({0})", _B),
    "from_hex": template("unhex({0})", _V),
    "to_base64": template("to_base64({0})", _B),
    "from_base64": template("from_base64({0})", _V),
    "md5": template("unhex(md5({0}))", _B),
    "sha1": template("unhex(sha1({0}))", _B),
    "sha256": template("unhex(sha256({0}))", _B),
}
