"""What kind of statement a query is, and the parts of those that are not plain SELECTs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import QueryFailed, Refused
from .types import split_top

_COMMENT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.S)
_NAME = r'(?:[`"]?[\w-]+[`"]?\.)*[`"]?[\w$-]+[`"]?'


@dataclass(frozen=True)
class Write:
    """UNLOAD, CREATE TABLE AS or INSERT INTO: a query and where its rows go."""

    kind: str
    query: str
    name: str = ""
    location: str = ""
    properties: dict[str, str | list[str]] = field(default_factory=dict)
    if_not_exists: bool = False
    with_data: bool = True


def bare(sql: str) -> str:
    """The statement without comments and its closing semicolon."""
    without = _COMMENT.sub(lambda found: found[0] if found[0][0] in "'\"" else " ", sql)
    return without.strip().rstrip(";").strip()


def first_word(sql: str) -> str:
    matched = re.match(r"\(*\s*([A-Za-z]+)", sql)
    return matched[1].upper() if matched else ""


def statement_type(sql: str) -> str:
    """DDL, DML or UTILITY, as GetQueryExecution reports it."""
    word = first_word(bare(sql))
    if word in ("SHOW", "DESCRIBE", "EXPLAIN", "DESC"):
        return "UTILITY" if word != "EXPLAIN" else "DML"
    if word in ("ALTER", "DROP", "MSCK") or (word == "CREATE" and not as_select(bare(sql))):
        return "DDL"
    return "DDL" if word == "CREATE" else "DML"


def closing(text: str, opened: int) -> int:
    """Index of the bracket that closes the one at ``opened``; brackets inside quotes do not count."""
    depth, quote = 0, ""
    for index in range(opened, len(text)):
        letter = text[index]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"`":
            quote = letter
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
            if depth == 0:
                return index
    raise QueryFailed("SYNTAX_ERROR: mismatched input '<EOF>'. Expecting: ')'")


def properties(text: str) -> dict[str, str | list[str]]:
    """``format = 'PARQUET', partitioned_by = ARRAY['split']`` → a mapping with keys in small letters."""
    found: dict[str, str | list[str]] = {}
    for item in filter(None, split_top(text)):
        name, sign, value = item.partition("=")
        name, value = name.strip().strip("'\"").lower(), value.strip()
        if not sign or not value:
            raise QueryFailed(f"SYNTAX_ERROR: a property must be written name = value, not {item!r}")
        if listed := re.fullmatch(r"ARRAY\s*\[(.*)\]", value, re.I | re.S):
            found[name] = [word.strip().strip("'") for word in split_top(listed[1]) if word]
        else:
            found[name] = value[1:-1].replace("''", "'") if value[0] == "'" else value
    return found


def unload(sql: str) -> Write:
    """``UNLOAD (query) TO 's3://…' WITH (…)``."""
    matched = re.match(r"UNLOAD\s*\(", sql, re.I)
    if not matched:
        raise QueryFailed("SYNTAX_ERROR: UNLOAD must be written UNLOAD (query) TO 's3://…' WITH (format = '…')")
    end = closing(sql, matched.end() - 1)
    rest = re.fullmatch(r"\s*TO\s+'([^']+)'\s*(?:WITH\s*\((.*)\))?\s*", sql[end + 1 :], re.I | re.S)
    if not rest:
        raise QueryFailed("SYNTAX_ERROR: UNLOAD must be written UNLOAD (query) TO 's3://…' WITH (format = '…')")
    return Write("UNLOAD", sql[matched.end() : end], location=rest[1], properties=properties(rest[2] or ""))


def as_select(sql: str) -> Write | None:
    """``CREATE TABLE … AS query``; None if this is no such statement."""
    matched = re.match(rf"CREATE\s+TABLE\s+(IF\s+NOT\s+EXISTS\s+)?({_NAME})\s*", sql, re.I)
    if not matched:
        return None
    rest, given = sql[matched.end() :], {}
    if comment := re.match(r"COMMENT\s+'[^']*'\s*", rest, re.I):
        rest = rest[comment.end() :]
    if opened := re.match(r"WITH\s*\(", rest, re.I):
        end = closing(rest, opened.end() - 1)
        given, rest = properties(rest[opened.end() : end]), rest[end + 1 :].lstrip()
    if not (found := re.match(r"AS\b\s*", rest, re.I)):
        return None
    query, with_data = rest[found.end() :], True
    if tail := re.search(r"\s+WITH\s+(NO\s+)?DATA\s*$", query, re.I):
        query, with_data = query[: tail.start()], not tail[1]
    if query.startswith("(") and closing(query, 0) == len(query) - 1:
        query = query[1:-1]
    return Write(
        "CREATE_TABLE_AS_SELECT",
        query,
        matched[2],
        properties=given,
        if_not_exists=bool(matched[1]),
        with_data=with_data,
    )


def insert(sql: str) -> Write:
    """``INSERT INTO name query`` (columns in the table's order)."""
    matched = re.match(rf"INSERT\s+INTO\s+({_NAME})\s+(?=SELECT|WITH|VALUES|\(\s*SELECT)", sql, re.I)
    if not matched:
        raise Refused("INSERT with a list of columns", "Give every column in the table's order.")
    return Write("INSERT", sql[matched.end() :], matched[1])


def name_parts(name: str, database: str) -> tuple[str, str]:
    """Database and table of a name, in small letters as the catalog keeps them."""
    parts = [part.strip('`"').lower() for part in re.findall(r'`[^`]+`|"[^"]+"|[^.]+', name)]
    if len(parts) == 3 and parts[0] == "awsdatacatalog":
        parts = parts[1:]
    if len(parts) > 2:
        raise QueryFailed(f"CATALOG_NOT_FOUND: Catalog {parts[0]!r} does not exist")
    return (parts[0], parts[1]) if len(parts) == 2 else (database, parts[0])


def with_parameters(sql: str, values: list[str]) -> str:
    """Puts ExecutionParameters (SQL literals) in place of the question marks outside quotes."""
    remaining = list(values)

    def fill(found: re.Match[str]) -> str:
        if found[0] != "?":
            return found[0]
        if not remaining:
            raise QueryFailed("INVALID_PARAMETER_USAGE: Incorrect number of parameters: too few given")
        value = remaining.pop(0)
        # Athena quotes what is no literal itself.
        return (
            value
            if re.fullmatch(
                r"'(?:[^']|'')*'|[+-]?\d+(\.\d+)?([eE][+-]?\d+)?|(?i:true|false|null|(?:date|timestamp)\s*'[^']*')",
                value,
            )
            else ("'" + value.replace("'", "''") + "'")
        )

    filled = re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\?", fill, sql)
    if remaining:
        raise QueryFailed("INVALID_PARAMETER_USAGE: Incorrect number of parameters: too many given")
    return filled
