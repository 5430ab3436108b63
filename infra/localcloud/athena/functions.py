"""Trino's scalar functions in DuckDB. What is not in a table is refused: a function that merely has the same name in
DuckDB often answers differently (greatest, concat, split_part and regexp_extract with nulls or without a match).
"""

from __future__ import annotations

import re

from sqlglot import exp

from .call import Call, Entry, entry, template
from .errors import QueryFailed, Refused
from .raw import Raw, bracketed
from .types import INTEGERS, REALS


@entry(2, 99)
def concat(call: Call) -> Raw:
    call.want(*([next((k for k in ("array", "binary") if _is(call, 0, k)), "varchar")]))
    return Raw(this="(" + " || ".join(bracketed(argument) for argument in call.args) + ")")


def _is(call: Call, index: int, wanted: str) -> bool:
    found = call.type(index) or ""
    return {"array": found.endswith("[]"), "binary": found == "BLOB", "map": found.startswith("MAP(")}[wanted]


@entry(2, 99)
def concat_ws(call: Call) -> Raw:
    if len(call.args) == 2 and _is(call, 1, "array"):
        if call.known_type(1) != "VARCHAR[]":
            raise QueryFailed("FUNCTION_NOT_FOUND: concat_ws needs an array of varchar")
        return call.raw("array_to_string({1}, {0})")
    call.want("varchar")
    return Raw(this=f"concat_ws({', '.join(map(bracketed, call.args))})")


@entry(1)
def length(call: Call) -> Raw:
    call.want("binary" if _is(call, 0, "binary") else "varchar")
    return call.raw("octet_length({0})" if _is(call, 0, "binary") else "length({0})")


@entry(2, 3)
def substr(call: Call) -> Raw:
    call.want("varchar", "number")
    return call.raw("trino_substr3({0}, {1}, {2})" if len(call.args) == 3 else "trino_substr({0}, {1})")


def _group(call: Call, index: int) -> str:
    """The group of a regular expression; refused when the group may take no part in a match (null in Trino, '' here)."""
    if len(call.args) <= index:
        return "0"
    group = call.literal(index)
    if group != "0" and re.search(r"\)[?*]|\)\{0|\|", call.literal(1)):
        raise Refused(
            f"{call.name} of a group that may be absent from a match",
            "Write the pattern without alternatives and optional groups.",
        )
    return group


@entry(2, 3)
def regexp_extract(call: Call) -> Raw:
    call.want("varchar", "varchar", "number")
    return call.raw(f"trino_regexp_extract({{0}}, {{1}}, {_group(call, 2)})")


@entry(2, 3)
def regexp_extract_all(call: Call) -> Raw:
    call.want("varchar", "varchar", "number")
    return call.raw(f"regexp_extract_all({{0}}, {{1}}, {_group(call, 2)})")


@entry(2, 3)
def regexp_replace(call: Call) -> Raw:
    call.want("varchar")
    wanted = call.literal(2) if len(call.args) == 3 else ""
    if (
        "${" in wanted
        or (re.search(r"\$[1-9]", wanted) and re.search(r"\)[?*]|\)\{0|\|", call.literal(1)))
        or re.search(r"\$\d\d", wanted)
    ):
        raise Refused("regexp_replace with this replacement", "Use $1 to $9 of groups that always match.")
    pieces = re.findall(r"\\.|\$\d|[^\\$]+|[\\$]", wanted)
    written = "".join(
        "\\" + piece[1]
        if re.fullmatch(r"\$\d", piece)
        else (piece[1:] if piece[0] == "\\" and len(piece) == 2 else piece).replace("\\", "\\\\")
        for piece in pieces
    ).replace("'", "''")
    return Raw(this=f"regexp_replace({call[0]}, {call[1]}, '{written}', 'g')")


@entry(2)
def json_extract_scalar(call: Call) -> Raw:
    call.want("varchar")
    path = re.sub(r"""\[["']([^"'\]]+)["']\]""", r'."\1"', call.literal(1))
    if not re.fullmatch(r"""\$(\.\w+|\."[^"]+"|\[\d+\])*""", path):
        raise Refused(f"json_extract_scalar with the path {path}", 'Use $.name, $["name"] and $[0].')
    return Raw(this=f"trino_json_scalar({call[0]}, '{path.replace(chr(39), chr(39) * 2)}')")


@entry(1, 2)
def round_(call: Call) -> Raw:
    call.want("number")
    kind = call.known_type(0)
    if kind in INTEGERS and len(call.args) == 1:
        return call.raw("{0}")
    if kind in INTEGERS:
        raise Refused("round of an integer to digits", "Cast it to double.")
    if kind.startswith("DECIMAL") and len(call.args) == 2:
        precision, scale = map(int, re.findall(r"\d+", kind))
        return call.raw(f"CAST(round({{0}}, {{1}}) AS DECIMAL({min(38, precision + 1)},{scale}))")
    return call.raw("round({0})" if len(call.args) == 1 else "round({0}, {1})")


def _whole(name: str) -> Entry:
    """floor, ceil and truncate keep an integer's type."""

    def handler(call: Call) -> Raw:
        call.want("number")
        return call.raw("{0}" if call.known_type(0) in INTEGERS else name + "({0})")

    return Entry(1, 1, handler)


def _extreme(name: str) -> Entry:
    """greatest and least are null as soon as one argument is."""

    def handler(call: Call) -> Raw:
        same_kinds(call)
        if any(call.type(index) in (*REALS, None) for index in range(len(call.args))):
            numbers = [argument for argument in call.args if not isinstance(argument, exp.Literal)]
            nan = " OR ".join(f"CAST({bracketed(argument)} AS VARCHAR) = 'nan'" for argument in numbers) or "false"
        else:
            nan = "false"
        null = " OR ".join(f"{bracketed(argument)} IS NULL" for argument in call.args)
        listed = ", ".join(bracketed(argument) for argument in call.args)
        failing = f"CAST('{name} of NaN is not answered by the local cloud: ' || CAST({call[0]} AS VARCHAR) AS TINYINT)"
        return Raw(
            this=f"CASE WHEN {null} THEN NULL WHEN {nan} THEN {failing} ELSE {name}({listed}) END"
            if nan != "false"
            else f"CASE WHEN {null} THEN NULL ELSE {name}({listed}) END"
        )

    return Entry(1, 99, handler)


def same_kinds(call: Call) -> None:
    """All arguments must be of one kind (Trino does not turn numbers into text)."""
    from .operators import comparable

    for index in range(1, len(call.args)):
        comparable(call.type(0), call.type(index), call.name)


@entry(1, 99)
def coalesce(call: Call) -> Raw:
    same_kinds(call)
    return Raw(this=f"coalesce({', '.join(map(bracketed, call.args))})")


@entry(2)
def nullif(call: Call) -> Raw:
    same_kinds(call)
    return call.raw("nullif({0}, {1})")


@entry(1)
def cardinality(call: Call) -> Raw:
    return call.raw("CAST(cardinality({0}) AS BIGINT)" if _is(call, 0, "map") else "CAST(len({0}) AS BIGINT)")


@entry(2)
def element_at(call: Call) -> Raw:
    call.known_type(0)
    return call.raw("{0}[{1}]" if _is(call, 0, "map") else "list_extract({0}, trino_nonzero_index({1}))")


@entry(2)
def array_join(call: Call) -> Raw:
    if call.known_type(0) not in ("VARCHAR[]", "INTEGER[]", "BIGINT[]", "BOOLEAN[]"):
        raise Refused("array_join of such an array", "Its elements must be varchar, integer or boolean.")
    return call.raw("array_to_string({0}, {1})")


@entry(2, 3)
def sequence(call: Call) -> Raw:
    call.want("number")
    step = call[2] if len(call.args) == 3 else f"CASE WHEN {call[0]} <= {call[1]} THEN 1 ELSE -1 END"
    return Raw(this=f"generate_series({call[0]}, {call[1]}, {step})")


@entry(2)
def from_base(call: Call) -> Raw:
    call.want("varchar", "number")
    radix = int(call.literal(1))
    if not 2 <= radix <= 36:
        raise QueryFailed(f"INVALID_FUNCTION_ARGUMENT: Radix must be between 2 and 36, not {radix}")
    if radix == 16:
        return call.raw("trino_hex_number({0})")
    return call.raw(f"trino_base_number(lower({{0}}), {radix})")


def _math(name: str, arguments: int = 1) -> Entry:
    cast = [f"CAST({{{index}}} AS DOUBLE)" for index in range(arguments)]
    return template(f"{name}({', '.join(cast)})", *["number"] * arguments)


def _bits(written: str, arguments: int = 2) -> Entry:
    return template(written, *["number"] * arguments)


_V, _N, _B, _A = "varchar", "number", "binary", "array"
TABLE: dict[str, Entry] = {
    "concat": concat,
    "concat_ws": concat_ws,
    "length": length,
    "substr": substr,
    "substring": substr,
    "lower": template("lower({0})", _V),
    "upper": template("upper({0})", _V),
    "reverse": template("reverse({0})", _V),
    "trim": template("trim({0})", _V),
    "ltrim": template("ltrim({0})", _V),
    "rtrim": template("rtrim({0})", _V),
    "replace": Entry(
        2,
        3,
        lambda call: (
            call.want(_V),
            call.raw("replace({0}, {1}, {2})" if len(call.args) == 3 else "replace({0}, {1}, '')"),
        )[1],
    ),
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
    "regexp_extract": regexp_extract,
    "regexp_extract_all": regexp_extract_all,
    "regexp_replace": regexp_replace,
    "regexp_split": template("string_split_regex({0}, {1})", _V, _V),
    "regexp_count": template("CAST(len(regexp_extract_all({0}, {1})) AS BIGINT)", _V, _V),
    "json_extract_scalar": json_extract_scalar,
    "json_array_length": template("trino_json_array_length({0})", _V),
    "abs": template("abs({0})", _N),
    "round": round_,
    "floor": _whole("floor"),
    "ceil": _whole("ceil"),
    "ceiling": _whole("ceil"),
    "truncate": _whole("trunc"),
    "sqrt": _math("sqrt"),
    "cbrt": _math("cbrt"),
    "exp": _math("exp"),
    "ln": _math("ln"),
    "log2": _math("log2"),
    "log10": _math("log10"),
    "log": _math("log", 2),
    "power": _math("pow", 2),
    "pow": _math("pow", 2),
    "sin": _math("sin"),
    "cos": _math("cos"),
    "tan": _math("tan"),
    "asin": _math("asin"),
    "acos": _math("acos"),
    "atan": _math("atan"),
    "atan2": _math("atan2", 2),
    "degrees": _math("degrees"),
    "radians": _math("radians"),
    "pi": template("pi()"),
    "e": template("exp(1e0)"),
    "sign": Entry(1, 1, lambda call: call.raw(f"CAST(sign({{0}}) AS {call.known_type(0)})")),
    "infinity": template("CAST('inf' AS DOUBLE)"),
    "nan": template("CAST('nan' AS DOUBLE)"),
    "is_nan": template("isnan({0})", _N),
    "is_finite": template("isfinite({0})", _N),
    "is_infinite": template("isinf({0})", _N),
    "greatest": _extreme("greatest"),
    "least": _extreme("least"),
    "coalesce": coalesce,
    "nullif": nullif,
    "random": template("random()"),
    "rand": template("random()"),
    "bitwise_and": _bits("CAST({0} & {1} AS BIGINT)"),
    "bitwise_or": _bits("CAST({0} | {1} AS BIGINT)"),
    "bitwise_xor": _bits("CAST(xor({0}, {1}) AS BIGINT)"),
    "bitwise_not": _bits("CAST(~{0} AS BIGINT)", 1),
    "bit_count": Entry(
        2,
        2,
        lambda call: (
            call.raw("CAST(bit_count(CAST({0} AS BIGINT)) AS BIGINT)")
            if call.literal(1) == "64"
            else _refuse("bit_count of other than 64 bits")
        ),
    ),
    "from_base": from_base,
    "to_base": template("lower(to_base({0}, {1}))", _N, _N),
    "to_utf8": template("encode({0})", _V),
    "from_utf8": template("decode({0})", _B),
    "to_hex": template("hex({0})", _B),
    "from_hex": template("unhex({0})", _V),
    "to_base64": template("to_base64({0})", _B),
    "from_base64": template("from_base64({0})", _V),
    "md5": template("unhex(md5({0}))", _B),
    "sha1": template("unhex(sha1({0}))", _B),
    "sha256": template("unhex(sha256({0}))", _B),
    "cardinality": cardinality,
    "element_at": element_at,
    "array_join": array_join,
    "sequence": sequence,
    "contains": template("trino_contains({0}, {1})", _A, "any"),
    "array_max": template("trino_array_max({0})", _A),
    "array_min": template("trino_array_min({0})", _A),
    "array_position": template("trino_array_position({0}, {1})", _A, "any"),
    "array_sort": template("list_sort({0}, 'ASC', 'NULLS LAST')", _A),
    "flatten": template("flatten({0})", _A),
    "transform": template("list_transform({0}, {1})", _A, "any"),
    "filter": template("list_filter({0}, {1})", _A, "any"),
    "map": template("map({0}, {1})", _A, _A),
    "map_keys": template("map_keys({0})", "map"),
    "map_values": template("map_values({0})", "map"),
    "try": template("TRY({0})", "any"),
}


def _refuse(what: str) -> Raw:
    raise Refused(what)
