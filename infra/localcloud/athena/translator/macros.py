"""DuckDB macros for Trino functions whose DuckDB counterpart behaves differently.

Wrong input fails inside a CAST, never with ``error()``: DuckDB treats that as volatile, which forbids ``TRY`` and stops
an expression in GROUP BY from matching the same one in SELECT.

A macro is replaced by its text: an argument that stands in it n times is bound n times, in nested calls n * m times.
A macro whose argument may be long takes it once, as the parameter of a lambda over a list of one element.
"""

from __future__ import annotations

import duckdb

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
CREATE MACRO trino_timestamp_varchar(x) AS strftime(x, '%Y-%m-%d %H:%M:%S.%g');
CREATE MACRO trino_timestamptz_varchar(x) AS strftime(timezone('UTC', x), '%Y-%m-%d %H:%M:%S.%g') || ' UTC';
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
    trino_checked(s, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?)?');
CREATE MACRO trino_checked_iso(s) AS
    trino_checked(s, '[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?(Z|[+]00:00)?)?');
"""

_FUNCTIONS = r"""
CREATE MACRO trino_nonzero(b) AS CASE WHEN b = 0
    THEN CAST('Division by zero: ' || CAST(b AS VARCHAR) AS TINYINT) ELSE b END;
CREATE MACRO trino_real_div(a, b) AS CASE WHEN b <> 0 OR isnan(b) OR a IS NULL OR b IS NULL THEN a / b
    WHEN a = 0 OR isnan(a) THEN CAST('nan' AS DOUBLE)
    WHEN (a > 0) = (CAST(b AS VARCHAR)[1] <> '-') THEN CAST('inf' AS DOUBLE) ELSE CAST('-inf' AS DOUBLE) END;
CREATE MACRO trino_milli(x) AS CAST(CAST(x AS TIMESTAMP_MS) AS TIMESTAMP);
CREATE MACRO trino_substr(s, start) AS CASE WHEN s IS NULL OR start IS NULL THEN NULL
    WHEN start = 0 OR abs(start) > length(s) THEN '' ELSE substring(s, start) END;
CREATE MACRO trino_substr3(s, start, size) AS list_transform([s], lambda t:
    CASE WHEN t IS NULL OR start IS NULL OR size IS NULL THEN NULL
    WHEN start = 0 OR abs(start) > length(t) OR size <= 0 THEN '' ELSE substring(t, start, size) END)[1];
CREATE MACRO trino_index(i) AS CASE WHEN i <= 0
    THEN CAST('index must be greater than zero: ' || CAST(i AS VARCHAR) AS BIGINT) ELSE i END;
CREATE MACRO trino_nonzero_index(i) AS CASE WHEN i = 0
    THEN CAST('SQL array indices start at 1, not ' || CAST(i AS VARCHAR) AS BIGINT) ELSE i END;
CREATE MACRO trino_subscript(a, i) AS a[CASE WHEN i <= 0 OR i > len(a)
    THEN CAST('Array subscript must be between 1 and the array''s length: ' || CAST(i AS VARCHAR) AS BIGINT)
    ELSE i END];
CREATE MACRO trino_map_subscript(m, k) AS CASE WHEN m IS NULL OR k IS NULL THEN NULL WHEN map_contains(m, k) THEN m[k]
    ELSE list_extract([m[k]], CAST('Key not present in map: ' || CAST(k AS VARCHAR) AS INTEGER)) END;
CREATE MACRO trino_contains(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL WHEN list_contains(a, x) THEN true
    WHEN len(a) > list_count(a) THEN NULL ELSE false END;
CREATE MACRO trino_array_max(a) AS CASE WHEN len(a) > list_count(a) THEN NULL ELSE list_max(a) END;
CREATE MACRO trino_array_min(a) AS CASE WHEN len(a) > list_count(a) THEN NULL ELSE list_min(a) END;
CREATE MACRO trino_array_position(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL
    ELSE coalesce(list_position(a, x), 0) END;
CREATE MACRO trino_json_scalar(j, p) AS CASE WHEN NOT json_valid(j) THEN NULL
    WHEN json_type(j, p) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL ELSE json_extract_string(j, p) END;
CREATE MACRO trino_json_array_length(j) AS CASE WHEN json_valid(j) AND json_type(j) = 'ARRAY'
    THEN CAST(json_array_length(j) AS BIGINT) END;
CREATE MACRO trino_regexp_extract(s, p, g) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;
CREATE MACRO trino_hex_number(s) AS list_transform([s], lambda t: CAST(CASE WHEN t IS NULL THEN NULL
    WHEN regexp_full_match(t, '[0-9a-fA-F]{1,16}') THEN '0x' || t
    WHEN regexp_full_match(t, '-[0-9a-fA-F]{1,16}') THEN CAST(-CAST('0x' || t[2:] AS BIGINT) AS VARCHAR)
    ELSE 'not a base 16 number: ' || t END AS BIGINT))[1];
CREATE MACRO trino_base_number(s, radix) AS CASE
    WHEN regexp_full_match(s, '[0-9a-z]+')
        AND len(list_filter(string_split(s, ''), lambda c:
            strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) > radix)) = 0
    THEN CAST(list_reduce(list_transform(string_split(s, ''),
            lambda c: CAST(strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) - 1 AS HUGEINT)),
            lambda a, d: a * radix + d) AS BIGINT)
    ELSE CAST('not a number of base ' || CAST(radix AS VARCHAR) || ': ' || s AS BIGINT) END;
"""


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates every macro in the connection's database."""
    connection.execute(_JAVA_TEXT + _CHECKED_TEXT + _FUNCTIONS)
