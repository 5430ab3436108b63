"""DuckDB macros of comparisons, decimals and aggregates. ``macros`` installs them."""

from __future__ import annotations

# DuckDB 1.5 treats nulls inside lists and structs as values.
COMPARISONS = r"""
CREATE MACRO trino_all(l) AS CASE WHEN l IS NULL THEN NULL WHEN list_contains(l, false) THEN false
    WHEN len(l) > list_count(l) THEN NULL ELSE true END;
CREATE MACRO trino_any(l) AS CASE WHEN l IS NULL THEN NULL WHEN list_contains(l, true) THEN true
    WHEN len(l) > list_count(l) THEN NULL ELSE false END;
CREATE MACRO trino_same_items(a, b, l) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(a) <> len(b) THEN false
    ELSE trino_all(l) END;
CREATE MACRO trino_fine(bad, message) AS CASE WHEN bad THEN CAST(message AS TINYINT) = 0 ELSE true END;
CREATE MACRO trino_without_null(a) AS CASE WHEN trino_fine(len(a) > list_count(a),
    'NOT_SUPPORTED: ARRAY comparison not supported for arrays with null elements' || substr(CAST(len(a) AS VARCHAR),
    99))
    THEN a END;
"""

# DuckDB 1.5 divides decimals as doubles.
DECIMALS = r"""
CREATE MACRO trino_half_up(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE a // trino_nonzero(b) + CASE
    WHEN abs(a % b) >= abs(b) - abs(a % b) THEN CASE WHEN (a < 0) = (b < 0) THEN 1 ELSE -1 END ELSE 0 END END;
CREATE MACRO trino_long_division(a, b, digits) AS list_reduce(list_prepend({'q': a // trino_nonzero(b), 'r': a % b},
    list_transform(generate_series(1, digits), lambda nj_k: {'q': 0::HUGEINT, 'r': 0::HUGEINT})),
    lambda nj_s, nj_d: {'q': nj_s.q * 10 + nj_s.r * 10 // b, 'r': nj_s.r * 10 % b});
CREATE MACRO trino_rounded_quotient(d, a, b) AS d.q + CASE WHEN abs(d.r) < abs(b) - abs(d.r) THEN 0
    WHEN (a < 0) = (b < 0) THEN 1 ELSE -1 END;
CREATE MACRO trino_long_half_up(a, b, digits) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
    ELSE trino_rounded_quotient(trino_long_division(a, b, digits), a, b) END;
"""

AGGREGATES = r"""
CREATE MACRO trino_mean(total, n) AS CASE WHEN n > 0 THEN trino_half_up(total, CAST(n AS HUGEINT)) END;
CREATE MACRO trino_finite(x) AS CASE WHEN isfinite(x) THEN x END;
CREATE MACRO trino_listagg(s) AS CASE WHEN octet_length(encode(s)) > 1048576
    THEN CAST(CAST('EXCEEDED_FUNCTION_MEMORY_LIMIT: Concatenated string is larger than 1048576 bytes' || s[:0]
        AS TINYINT) AS VARCHAR) ELSE s END;
"""
