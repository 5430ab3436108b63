"""DuckDB macros of arrays and maps. ``macros`` installs them."""

from __future__ import annotations

# The text that fails in a CAST must depend on a value, otherwise DuckDB computes it while it plans the query.
ARRAYS = r"""
CREATE MACRO trino_failing(condition, message, value) AS CASE WHEN condition
    THEN CAST(message || substr(CAST(value AS VARCHAR), 1000) AS BIGINT) ELSE value END;
CREATE MACRO trino_nonzero_index(i) AS
    trino_failing(i = 0, 'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1', i);
CREATE MACRO trino_subscript_problem(i, size) AS CASE WHEN i = 0 THEN 'SQL array indices start at 1'
    WHEN i < 0 THEN 'Array subscript is negative: ' || CAST(i AS VARCHAR)
    ELSE 'Array subscript must be less than or equal to array length: ' || CAST(i AS VARCHAR) || ' > '
        || CAST(size AS VARCHAR) END;
CREATE MACRO trino_subscript(a, i) AS a[CASE WHEN i <= 0 OR i > len(a)
    THEN CAST('INVALID_FUNCTION_ARGUMENT: ' || trino_subscript_problem(i, len(a)) AS BIGINT) ELSE i END];
CREATE MACRO trino_contains(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL WHEN list_contains(a, x) THEN true
    WHEN len(a) > list_count(a) THEN NULL ELSE false END;
CREATE MACRO trino_array_max(a) AS CASE WHEN len(a) > list_count(a) THEN NULL ELSE list_max(a) END;
CREATE MACRO trino_array_min(a) AS CASE WHEN len(a) > list_count(a) THEN NULL ELSE list_min(a) END;
CREATE MACRO trino_numbers(a) AS list_filter(a, lambda nj_x: NOT isnan(nj_x));
CREATE MACRO trino_array_max_real(a) AS CASE WHEN len(a) > list_count(a) THEN NULL
    ELSE coalesce(list_max(trino_numbers(a)), list_max(a)) END;
CREATE MACRO trino_array_min_real(a) AS CASE WHEN len(a) > list_count(a) THEN NULL
    ELSE coalesce(list_min(trino_numbers(a)), list_min(a)) END;
CREATE MACRO trino_array_position(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL
    ELSE CAST(coalesce(list_position(a, x), 0) AS BIGINT) END;
CREATE MACRO trino_array_remove(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL
    ELSE list_filter(a, lambda nj_e: nj_e IS NULL OR nj_e <> x) END;
CREATE MACRO trino_comparator(v) AS CASE WHEN v IN (-1, 0, 1) THEN v ELSE CAST(
    'INVALID_FUNCTION_ARGUMENT: Lambda comparator must return either -1, 0, or 1: ' || coalesce(CAST(v AS VARCHAR),
    'null')
    AS INTEGER) END;
CREATE MACRO trino_is_first(a, x, i) AS CASE WHEN x IS NULL THEN list_count(a[1:i - 1]) = i - 1
    ELSE list_position(a, x) = i END;
CREATE MACRO trino_array_distinct(a) AS CASE WHEN len(list_distinct(a)) = len(a) THEN a
    ELSE list_filter(a, lambda nj_x, nj_i: trino_is_first(a, nj_x, nj_i)) END;
CREATE MACRO trino_has(a, x) AS CASE WHEN x IS NULL THEN len(a) > list_count(a) ELSE list_contains(a, x) END;
CREATE MACRO trino_array_union(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
    ELSE trino_array_distinct(a || b) END;
CREATE MACRO trino_array_common(a, b) AS trino_array_distinct(list_filter(a, lambda nj_x: trino_has(b, nj_x)));
CREATE MACRO trino_array_intersect(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
    WHEN len(a) < len(b) THEN trino_array_common(b, a) ELSE trino_array_common(a, b) END;
CREATE MACRO trino_array_except(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
    ELSE trino_array_distinct(list_filter(a, lambda nj_x: NOT trino_has(b, nj_x))) END;
CREATE MACRO trino_arrays_overlap(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
    WHEN list_has_any(list_filter(a, lambda nj_x: nj_x IS NOT NULL), b) THEN true
    WHEN len(a) = 0 OR len(b) = 0 THEN false
    WHEN len(a) > list_count(a) OR len(b) > list_count(b) THEN NULL ELSE false END;
CREATE MACRO trino_from_end(a, i) AS CASE WHEN i < 0 THEN len(a) + i + 1 ELSE i END;
CREATE MACRO trino_slice(a, i, n) AS CASE WHEN a IS NULL OR i IS NULL OR n IS NULL THEN NULL
    WHEN trino_fine(i = 0, 'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1' || substr(CAST(i AS VARCHAR), 99))
     AND trino_fine(n < 0, 'INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0'
        || substr(CAST(n AS VARCHAR), 99))
    THEN CASE WHEN trino_from_end(a, i) < 1 OR n = 0 THEN a[1:0]
        ELSE a[trino_from_end(a, i):trino_from_end(a, i) + n - 1] END END;
CREATE MACRO trino_trim_array(a, n) AS CASE
    WHEN trino_fine(n < 0, 'INVALID_FUNCTION_ARGUMENT: size must not be negative: ' || CAST(n AS VARCHAR))
     AND trino_fine(n > len(a), 'INVALID_FUNCTION_ARGUMENT: size must not exceed array cardinality '
        || CAST(len(a) AS VARCHAR) || ': ' || CAST(n AS VARCHAR))
    THEN CASE WHEN n IS NULL THEN NULL WHEN n = len(a) THEN a[1:0] ELSE a[1:len(a) - n] END END;
CREATE MACRO trino_repeat(x, n) AS CASE
    WHEN trino_fine(n > 10000,
        'INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be less than or equal to 10000'
        || substr(CAST(n AS VARCHAR), 99))
     AND trino_fine(n < 0,
        'INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be greater than or equal to 0'
        || substr(CAST(n AS VARCHAR), 99))
    THEN CASE WHEN n IS NOT NULL THEN list_transform(generate_series(1, n), lambda nj_k: x) END END;
CREATE MACRO trino_ngrams(a, n) AS CASE
    WHEN trino_fine(n <= 0, 'INVALID_FUNCTION_ARGUMENT: N must be positive: ' || CAST(n AS VARCHAR))
    THEN CASE WHEN a IS NULL OR n IS NULL THEN NULL WHEN n >= len(a) THEN [a]
        ELSE list_transform(generate_series(1, len(a) - n + 1), lambda nj_k: a[nj_k:nj_k + n - 1]) END END;
"""

MAPS = r"""
CREATE MACRO trino_keys_fine(keys) AS
    trino_fine(len(keys) > list_count(keys), 'INVALID_FUNCTION_ARGUMENT: map key cannot be null'
        || substr(CAST(len(keys) AS VARCHAR), 99))
    AND trino_fine(len(list_distinct(keys)) < len(keys), 'INVALID_FUNCTION_ARGUMENT: Duplicate map keys ('
        || CAST(list_filter(keys, lambda nj_k, nj_i: list_position(keys, nj_k) < nj_i)[1] AS VARCHAR) ||
        ') are not allowed');
CREATE MACRO trino_map(k, v) AS CASE WHEN k IS NULL OR v IS NULL THEN NULL WHEN trino_fine(len(k) <> len(v),
    'INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length' || substr(CAST(len(k) AS VARCHAR), 99))
    AND trino_keys_fine(k) THEN map(k, v) END;
CREATE MACRO trino_map_of(e) AS CASE WHEN e IS NULL THEN NULL
    WHEN trino_keys_fine(list_transform(e, lambda nj_x: nj_x.key)) THEN map_from_entries(e) END;
CREATE MACRO trino_map_from_rows(e) AS CASE WHEN e IS NULL THEN NULL
    WHEN trino_fine(len(e) > list_count(e), 'INVALID_FUNCTION_ARGUMENT: map entry cannot be null'
        || substr(CAST(len(e) AS VARCHAR), 99))
    AND trino_keys_fine(list_transform(e, lambda nj_x: struct_extract_at(nj_x, 1)))
    THEN map(list_transform(e, lambda nj_x: struct_extract_at(nj_x, 1)), list_transform(e, lambda nj_x:
    struct_extract_at(nj_x, 2)))
    END;
CREATE MACRO trino_entry_keys(e) AS list_transform(e, lambda nj_x: nj_x.key);
CREATE MACRO trino_first_map(e) AS CASE WHEN e IS NULL THEN NULL
    WHEN len(list_distinct(trino_entry_keys(e))) = len(e) THEN map_from_entries(e)
    ELSE map_from_entries(list_filter(e, lambda nj_x, nj_i: list_position(trino_entry_keys(e), nj_x.key) = nj_i)) END;
CREATE MACRO trino_last_map(e) AS CASE WHEN e IS NULL THEN NULL
    WHEN len(list_distinct(trino_entry_keys(e))) = len(e) THEN map_from_entries(e)
    ELSE map_from_entries(list_transform(list_filter(e, lambda nj_x, nj_i: list_position(trino_entry_keys(e),
    nj_x.key) = nj_i),
        lambda nj_x: {'key': nj_x.key, 'value': list_filter(e, lambda nj_y: nj_y.key = nj_x.key)[-1].value})) END;
CREATE MACRO trino_multimap(e) AS CASE WHEN e IS NULL THEN NULL ELSE map_from_entries(
    list_transform(trino_array_distinct(trino_entry_keys(e)), lambda nj_k:
        {'key': nj_k, 'value': list_transform(list_filter(e, lambda nj_x: nj_x.key = nj_k), lambda nj_x:
        nj_x.value)})) END;
CREATE MACRO trino_map_subscript(m, k) AS CASE WHEN m IS NULL OR k IS NULL THEN NULL WHEN map_contains(m, k) THEN m[k]
    ELSE list_extract([m[k]],
        CAST('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || CAST(k AS VARCHAR) AS INTEGER)) END;
"""
