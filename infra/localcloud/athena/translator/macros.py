"""DuckDB macros for Trino functions whose DuckDB counterpart behaves differently.

Wrong input fails inside a CAST, never with ``error()``: DuckDB treats that as volatile, which forbids ``TRY`` and stops
an expression in GROUP BY from matching the same one in SELECT.

A macro is replaced by its text: an argument that stands in it n times is bound n times, in nested calls n * m times.
A macro whose argument may be long takes it once, as the parameter of a lambda over a list of one element.
"""

from __future__ import annotations

import re
from weakref import WeakKeyDictionary

import duckdb

from infra.localcloud.athena import functions
from infra.localcloud.athena.translator import macros_array, macros_number, macros_time, macros_values

# A double's text in Trino, from DuckDB's shortest one: 1.5E0, 1.0E10, 0E0. The lambda computes that text once.
_NUMBER_TEXT = """
CREATE MACRO trino_scientific(digits, power) AS
    digits[1] || '.' || coalesce(nullif(rtrim(digits[2:], '0'), ''), '0') || 'E' || power;
CREATE MACRO trino_double_varchar(x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN isnan(x) THEN 'NaN'
    WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END
    WHEN x = 0 THEN CASE WHEN CAST(x AS VARCHAR)[1] = '-' THEN '-0E0' ELSE '0E0' END
    ELSE CASE WHEN x < 0 THEN '-' ELSE '' END || list_transform([CAST(abs(x) AS VARCHAR)], lambda nj_text: CASE
        WHEN nj_text IN ('5e-324', '1e-323') THEN if(nj_text = '5e-324', '4', '9') || '.9E-324'
        WHEN contains(nj_text, 'e') THEN trino_scientific(
            replace(split_part(nj_text, 'e', 1), '.', ''), CAST(split_part(nj_text, 'e', 2) AS INTEGER))
        WHEN nj_text[:2] = '0.' THEN trino_scientific(
            ltrim(nj_text[3:], '0'), length(ltrim(nj_text[3:], '0')) - length(nj_text) + 1)
        ELSE trino_scientific(replace(nj_text, '.', ''), strpos(nj_text, '.') - 2) END)[1]
    END;
"""

# Text for a cast: text that Trino would not accept becomes text that DuckDB does not accept either.
_CHECKED_TEXT = r"""
CREATE MACRO trino_checked(s, pattern) AS
    CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, pattern) THEN trim(s)
    ELSE 'not accepted by Trino: ' || s END;
CREATE MACRO trino_checked_integer(s) AS trino_checked(s, '[+-]?[0-9]+');
CREATE MACRO trino_checked_real(s) AS
    trino_checked(s, '\s*([+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|Infinity)|NaN)\s*');
CREATE MACRO trino_checked_decimal(s) AS trino_checked(s, '[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)');
CREATE MACRO trino_checked_boolean(s) AS trino_checked(s, '(?i)true|false|t|f|1|0');
CREATE MACRO trino_checked_date(s) AS trino_checked(s, '\s*-?[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}\s*');
CREATE MACRO trino_checked_timestamp(s) AS
    trino_checked(s, '-?[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?)?');
"""

_FUNCTIONS = r"""
CREATE MACRO trino_milli(x) AS CAST(CAST(x AS TIMESTAMP_MS) AS TIMESTAMP);
CREATE MACRO trino_substr(s, start) AS CASE WHEN s IS NULL OR start IS NULL THEN NULL
    WHEN start = 0 OR abs(start) > length(s) THEN '' ELSE substring(s, start) END;
CREATE MACRO trino_substr3(s, start, size) AS list_transform([s], lambda nj_t:
    CASE WHEN nj_t IS NULL OR start IS NULL OR size IS NULL THEN NULL
    WHEN start = 0 OR abs(start) > length(nj_t) OR size <= 0 THEN '' ELSE substring(nj_t, start, size) END)[1];
"""

_NAME = re.compile(r"\btrino_\w+")
# The statement that creates each macro, by its name.
_STATEMENTS = {
    statement.split("MACRO ", 1)[1].split("(", 1)[0]: statement
    for text in (
        _NUMBER_TEXT,
        _CHECKED_TEXT,
        _FUNCTIONS,
        macros_values.COMPARISONS,
        macros_values.DECIMALS,
        macros_values.AGGREGATES,
        macros_number.NUMBERS,
        macros_array.ARRAYS,
        macros_array.MAPS,
        macros_time.ZONES,
        macros_time.INTERVALS,
        macros_time.TIMES,
        macros_time.FORMATS,
    )
    for statement in text.split(";\n")
    if statement.strip()
}
_installed: WeakKeyDictionary[duckdb.DuckDBPyConnection, set[str]] = WeakKeyDictionary()


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the macros that the views of files call."""
    install_called(connection, _NUMBER_TEXT + _CHECKED_TEXT + _FUNCTIONS)


def install_called(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Creates the macros and Python functions that a DuckDB text calls; all of them take longer than a translation."""
    functions.register_called(connection, sql)
    known = _installed.setdefault(connection, set())
    statements: list[str] = []
    for name in set(_NAME.findall(sql)) - known:
        _add(name, known, statements)
    if statements:
        connection.execute(";\n".join(statements))


def _add(name: str, known: set[str], statements: list[str]) -> None:
    """Adds the statement of a macro after those of the macros that it calls, as DuckDB demands."""
    if name in known or name not in _STATEMENTS:
        return
    known.add(name)
    for called in _NAME.findall(_STATEMENTS[name]):
        _add(called, known, statements)
    statements.append(_STATEMENTS[name])
