"""DuckDB macros for Trino functions whose DuckDB counterpart behaves differently.

Wrong input fails inside a CAST, never with ``error()``: DuckDB treats that as volatile, which forbids ``TRY`` and stops
an expression in GROUP BY from matching the same one in SELECT.
"""

from __future__ import annotations

import duckdb

from infra.localcloud.athena.translator import (
    comparisons,
    decimals,
    functions_aggregate,
    functions_array,
    functions_map,
    functions_number,
    functions_time,
    intervals,
    time_formats,
    times,
)

# Java's Double.toString from DuckDB's shortest text: plain from 1e-3 up to 1e7, otherwise 1.5E-7.
_JAVA_TEXT = """
CREATE MACRO trino_mantissa(t) AS split_part(t, 'e', 1);
CREATE MACRO trino_digits(t) AS replace(split_part(t, 'e', 1), '.', '');
CREATE MACRO trino_exponent(t) AS
    coalesce(TRY_CAST(nullif(split_part(t, 'e', 2), '') AS INTEGER), 0)
    + length(split_part(trino_mantissa(t), '.', 1)) - 1
    - (length(trino_digits(t)) - length(ltrim(trino_digits(t), '0')));
CREATE MACRO trino_significant(d) AS d[1] || '.' || coalesce(nullif(d[2:], ''), '0');
CREATE MACRO trino_real_text(t, x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN isnan(x) THEN 'NaN'
    WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END
    WHEN x = 0 THEN t
    WHEN abs(x) >= 1e-3 AND abs(x) < 1e7 THEN t
    ELSE CASE WHEN x < 0 THEN '-' ELSE '' END
         || trino_significant(rtrim(ltrim(trino_digits(ltrim(t, '-')), '0'), '0'))
         || 'E' || trino_exponent(ltrim(t, '-'))
    END;
CREATE MACRO trino_double_varchar(x) AS trino_real_text(CAST(x AS VARCHAR), x);
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
CREATE MACRO trino_checked_date(s) AS trino_checked(s, '\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\s*');
CREATE MACRO trino_checked_timestamp(s) AS
    trino_checked(s, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?)?');
"""

_FUNCTIONS = r"""
CREATE MACRO trino_substr(s, start) AS CASE WHEN s IS NULL OR start IS NULL THEN NULL
    WHEN start = 0 OR abs(start) > length(s) THEN '' ELSE substring(s, start) END;
CREATE MACRO trino_substr3(s, start, size) AS CASE WHEN s IS NULL OR start IS NULL OR size IS NULL THEN NULL
    WHEN start = 0 OR abs(start) > length(s) OR size <= 0 THEN '' ELSE substring(s, start, size) END;
CREATE MACRO trino_index(i) AS CASE WHEN i <= 0
    THEN CAST('index must be greater than zero: ' || CAST(i AS VARCHAR) AS BIGINT) ELSE i END;
CREATE MACRO trino_json_scalar(j, p) AS CASE WHEN NOT json_valid(j) THEN NULL
    WHEN json_type(j, p) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL ELSE json_extract_string(j, p) END;
CREATE MACRO trino_json_array_length(j) AS CASE WHEN json_valid(j) AND json_type(j) = 'ARRAY'
    THEN CAST(json_array_length(j) AS BIGINT) END;
CREATE MACRO trino_regexp_extract(s, p, g) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;
"""

_OF_MODULES = "".join(
    module.MACROS
    for module in (
        comparisons,
        times,
        intervals,
        decimals,
        functions_number,
        functions_array,
        functions_map,
        functions_aggregate,
        functions_time,
        time_formats,
    )
)


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates every macro in the connection's database."""
    connection.execute(_JAVA_TEXT + _CHECKED_TEXT + _FUNCTIONS + _OF_MODULES)
