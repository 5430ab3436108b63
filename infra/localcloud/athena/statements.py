"""The kind of a statement, and the parts of a statement that is no plain SELECT."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.types import split_top

_COMMENT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)
# Hive's statements have strings with backslashes.
_HIVE_COMMENT = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)
_HIVE = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:CREATE\s+EXTERNAL|ALTER)\b", re.IGNORECASE | re.DOTALL)
NAME = r'(?:[`"]?[\w-]+[`"]?\.)*[`"]?[\w$-]+[`"]?'


@dataclass(frozen=True)
class Write:
    """UNLOAD, CREATE TABLE AS or INSERT INTO: a query, and the destination of its rows.

    Attributes:
        kind: UNLOAD, CREATE_TABLE_AS_SELECT or INSERT.
        query: The query.
        name: The table; empty for UNLOAD.
        location: The S3 location of UNLOAD.
        properties: The properties in the WITH clause, with names in small letters.
        if_not_exists: Whether an existing table is no error.
        with_data: Whether rows are written, or only the table is created.
        columns: The columns that INSERT lists, in small letters; empty for all.
    """

    kind: str
    query: str
    name: str = ""
    location: str = ""
    properties: dict[str, str | list[str]] = field(default_factory=dict)
    if_not_exists: bool = False
    with_data: bool = True
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """CREATE VIEW.

    Attributes:
        name: The view's name.
        query: The query.
        replace: Whether an existing view is replaced.
    """

    name: str
    query: str
    replace: bool


def bare(sql: str) -> str:
    """Removes comments and the semicolon at the end."""
    pattern = _HIVE_COMMENT if _HIVE.match(sql) else _COMMENT
    without = pattern.sub(lambda found: found[0] if found[0][0] in "'\"`" else " ", sql)
    return without.strip().rstrip(";").strip()


def first_word(sql: str) -> str:
    """Returns the first word of a statement in capital letters."""
    matched = re.match(r"\(*\s*([A-Za-z]+)", sql)
    return matched[1].upper() if matched else ""


def statement_type(sql: str) -> str:
    """Returns DDL, DML or UTILITY, as GetQueryExecution reports it."""
    word = first_word(bare(sql))
    if word in ("SHOW", "DESCRIBE", "EXPLAIN", "DESC"):
        return "UTILITY" if word != "EXPLAIN" else "DML"
    if word in ("ALTER", "DROP", "MSCK") or (word == "CREATE" and not as_select(bare(sql))):
        return "DDL"
    return "DDL" if word == "CREATE" else "DML"


def closing(text: str, opened: int) -> int:
    """Finds the bracket that closes the one at the index ``opened``; brackets inside quotes do not count.

    Raises:
        QueryError: There is none.
    """
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
    raise QueryError("SYNTAX_ERROR: mismatched input '<EOF>'. Expecting: ')'")


def properties(text: str) -> dict[str, str | list[str]]:
    """Parses ``format = 'PARQUET', partitioned_by = ARRAY['split']``; the names become small letters.

    Raises:
        QueryError: A property is not written ``name = value``.
    """
    found: dict[str, str | list[str]] = {}
    for item in filter(None, split_top(text)):
        name, sign, value = item.partition("=")
        name, value = name.strip().strip("'\"").lower(), value.strip()
        if not sign or not value:
            raise QueryError(f"SYNTAX_ERROR: a property must be written name = value, not {item!r}")
        if listed := re.fullmatch(r"ARRAY\s*\[(.*)\]", value, re.IGNORECASE | re.DOTALL):
            found[name] = [word.strip().strip("'") for word in split_top(listed[1]) if word]
        else:
            found[name] = value[1:-1].replace("''", "'") if value[0] == "'" else value
    return found


def unload(sql: str) -> Write:
    """Parses ``UNLOAD (query) TO 's3://…' WITH (…)``.

    Raises:
        QueryError: It is written differently.
    """
    matched = re.match(r"UNLOAD\s*\(", sql, re.IGNORECASE)
    if not matched:
        raise QueryError("SYNTAX_ERROR: UNLOAD must be written UNLOAD (query) TO 's3://…' WITH (format = '…')")
    end = closing(sql, matched.end() - 1)
    rest = re.fullmatch(r"\s*TO\s+'([^']+)'\s*(?:WITH\s*\((.*)\))?\s*", sql[end + 1 :], re.IGNORECASE | re.DOTALL)
    if not rest:
        raise QueryError("SYNTAX_ERROR: UNLOAD must be written UNLOAD (query) TO 's3://…' WITH (format = '…')")
    return Write("UNLOAD", sql[matched.end() : end], location=rest[1], properties=properties(rest[2] or ""))


def as_select(sql: str) -> Write | None:
    """Parses ``CREATE TABLE … AS query``; None for another statement."""
    matched = re.match(rf"CREATE\s+TABLE\s+(IF\s+NOT\s+EXISTS\s+)?({NAME})\s*", sql, re.IGNORECASE)
    if not matched:
        return None
    rest = sql[matched.end() :]
    given: dict[str, str | list[str]] = {}
    if comment := re.match(r"COMMENT\s+'[^']*'\s*", rest, re.IGNORECASE):
        rest = rest[comment.end() :]
    if opened := re.match(r"WITH\s*\(", rest, re.IGNORECASE):
        end = closing(rest, opened.end() - 1)
        given, rest = properties(rest[opened.end() : end]), rest[end + 1 :].lstrip()
    if not (found := re.match(r"AS\b\s*", rest, re.IGNORECASE)):
        return None
    query, with_data = rest[found.end() :], True
    if tail := re.search(r"\s+WITH\s+(NO\s+)?DATA\s*$", query, re.IGNORECASE):
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
    """Parses ``INSERT INTO name [(column, …)] query``.

    Raises:
        QueryError: It is written differently.
    """
    matched = re.match(rf"INSERT\s+INTO\s+(?:TABLE\s+)?({NAME})\s*", sql, re.IGNORECASE)
    if not matched:
        raise QueryError(f"SYNTAX_ERROR: line 1:1: mismatched input '{sql[:20]}'. Expecting: 'INSERT INTO'")
    rest = sql[matched.end() :]
    columns: tuple[str, ...] = ()
    if rest.startswith("(") and not re.match(r"\(\s*(SELECT|WITH|VALUES|TABLE)\b", rest, re.IGNORECASE):
        end = closing(rest, 0)
        columns = tuple(name.strip().strip('"`').lower() for name in split_top(rest[1:end]))
        rest = rest[end + 1 :].lstrip()
    return Write("INSERT", rest, matched[1], columns=columns)


def explain(sql: str) -> tuple[dict[str, str], str]:
    """Parses ``EXPLAIN [ANALYZE] [(TYPE …, FORMAT …)] query``.

    Returns:
        The options, and the query.

    Raises:
        QueryError: An option is not known.
    """
    options: dict[str, str] = {}
    rest = sql[len("EXPLAIN") :].lstrip()
    if matched := re.match(r"ANALYZE\b\s*(VERBOSE\b\s*)?", rest, re.IGNORECASE):
        options["ANALYZE"] = "TRUE"
        rest = rest[matched.end() :]
    if rest.startswith("(") and re.match(r"\(\s*(TYPE|FORMAT)\b", rest, re.IGNORECASE):
        end = closing(rest, 0)
        for item in split_top(rest[1:end]):
            name, _, value = item.upper().partition(" ")
            allowed = {"TYPE": ("LOGICAL", "DISTRIBUTED", "VALIDATE", "IO"), "FORMAT": ("TEXT", "GRAPHVIZ", "JSON")}
            if value.strip() not in allowed.get(name, ()):
                raise QueryError(f"SYNTAX_ERROR: line 1:10: mismatched input '{item}'. Expecting: 'FORMAT', 'TYPE'")
            options[name] = value.strip()
        rest = rest[end + 1 :].lstrip()
    return options, rest


def view(sql: str) -> View | None:
    """Parses ``CREATE [OR REPLACE] VIEW name AS query``; None for another statement."""
    pattern = rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?VIEW\s+(?P<name>{NAME})\s+AS\s+(?P<query>.*)"
    matched = re.fullmatch(pattern, sql, re.IGNORECASE | re.DOTALL)
    return View(matched["name"], matched["query"], bool(matched["replace"])) if matched else None


def name_parts(name: str, database: str) -> tuple[str, str]:
    """Splits a name into database and table, in small letters as the catalog keeps them.

    Args:
        name: The name, with or without a database.
        database: The database of a name without one.

    Raises:
        QueryError: The name has a catalog that does not exist.
    """
    parts = [part.strip('`"').lower() for part in re.findall(r'`[^`]+`|"[^"]+"|[^.]+', name)]
    if len(parts) == 3 and parts[0] == "awsdatacatalog":
        parts = parts[1:]
    if len(parts) > 2:
        raise QueryError(f"CATALOG_NOT_FOUND: Catalog {parts[0]!r} does not exist")
    return (parts[0], parts[1]) if len(parts) == 2 else (database, parts[0])


def with_parameters(sql: str, values: list[str]) -> str:
    """Replaces the question marks outside quotes by ExecutionParameters (SQL literals).

    Raises:
        QueryError: There are too few or too many of them.
    """
    remaining = list(values)

    def fill(found: re.Match[str]) -> str:
        if found[0] != "?":
            return found[0]
        if not remaining:
            raise QueryError("INVALID_PARAMETER_USAGE: Incorrect number of parameters: too few given")
        value = remaining.pop(0)
        # Athena quotes a value that is no literal.
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
        raise QueryError("INVALID_PARAMETER_USAGE: Incorrect number of parameters: too many given")
    return filled
