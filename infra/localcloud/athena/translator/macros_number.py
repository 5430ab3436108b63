"""DuckDB macros of numbers and bits. ``macros`` installs them."""

from __future__ import annotations

# Where DuckDB 1.5 fails outside a function's domain, Java gives NaN or an infinity.
NUMBERS = r"""
CREATE MACRO trino_nonzero(b) AS CASE WHEN b = 0
    THEN CAST('DIVISION_BY_ZERO: Division by zero' || substr(CAST(b AS VARCHAR), 99) AS TINYINT) ELSE b END;
CREATE MACRO trino_real_div(a, b) AS CASE WHEN b <> 0 OR isnan(b) OR a IS NULL OR b IS NULL THEN a / b
    WHEN a = 0 OR isnan(a) THEN CAST('nan' AS DOUBLE)
    WHEN (a > 0) = (CAST(b AS VARCHAR)[1] <> '-') THEN CAST('inf' AS DOUBLE) ELSE CAST('-inf' AS DOUBLE) END;
CREATE MACRO trino_real_mod(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
    WHEN b = 0 OR isnan(a) OR isnan(b) OR isinf(a) THEN CAST('nan' AS DOUBLE) WHEN isinf(b) THEN a ELSE fmod(a, b) END;
CREATE MACRO trino_sign(x) AS CASE WHEN isnan(x) OR x = 0 THEN x WHEN x > 0 THEN x / x ELSE -(x / x) END;
CREATE MACRO trino_sqrt(x) AS CASE WHEN x < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt(x) END;
CREATE MACRO trino_better_root(c, short, x) AS CASE WHEN abs(short * short * short - x) <= 3e-16 * abs(x) THEN short
    ELSE c - (c * c * c - x) / (3 * c * c) END;
CREATE MACRO trino_cbrt(x) AS CASE WHEN x = 0 OR NOT isfinite(x) THEN x
    ELSE trino_better_root(cbrt(x), CAST(printf('%.15g', cbrt(x)) AS DOUBLE), x) END;
CREATE MACRO trino_ln(x) AS CASE WHEN x > 0 THEN ln(x) WHEN x = 0 THEN CAST('-inf' AS DOUBLE)
    WHEN x < 0 THEN CAST('nan' AS DOUBLE) END;
CREATE MACRO trino_log10(x) AS CASE WHEN x > 0 THEN log10(x) ELSE trino_ln(x) END;
CREATE MACRO trino_log2(x) AS trino_ln(x) / 0.6931471805599453e0;
CREATE MACRO trino_log(b, x) AS trino_real_div(trino_ln(x), trino_ln(b));
CREATE MACRO trino_pow(x, y) AS CASE WHEN isnan(y) OR (abs(x) = 1 AND isinf(y)) THEN CAST('nan' AS DOUBLE)
    ELSE pow(x, y) END;
CREATE MACRO trino_sin(x) AS CASE WHEN isfinite(x) THEN sin(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END;
CREATE MACRO trino_cos(x) AS CASE WHEN isfinite(x) THEN cos(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END;
CREATE MACRO trino_tan(x) AS CASE WHEN isfinite(x) THEN tan(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE) END;
CREATE MACRO trino_asin(x) AS CASE WHEN x BETWEEN -1 AND 1 THEN asin(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE)
    END;
CREATE MACRO trino_acos(x) AS CASE WHEN x BETWEEN -1 AND 1 THEN acos(x) WHEN x IS NOT NULL THEN CAST('nan' AS DOUBLE)
    END;
CREATE MACRO trino_round_real(x, d) AS CASE WHEN isfinite(x) THEN
    CASE WHEN x < 0 THEN -(floor(-x * pow(10e0, d) + 0.5e0) / pow(10e0, d)) ELSE floor(x * pow(10e0, d) + 0.5e0) /
    pow(10e0, d) END
    ELSE x END;
CREATE MACRO trino_round_integer(x, d) AS CASE WHEN x IS NULL OR d IS NULL THEN NULL WHEN d >= 0 THEN x
    WHEN d < -19 THEN CAST('NUMERIC_VALUE_OUT_OF_RANGE: numerical overflow: ' || CAST(x AS VARCHAR) AS BIGINT)
    ELSE trino_half_up(CAST(x AS HUGEINT), CAST(pow(10, -d) AS HUGEINT)) * CAST(pow(10, -d) AS HUGEINT) END;
CREATE MACRO trino_round_decimal(x, d, s) AS CASE WHEN d IS NULL THEN NULL WHEN d >= s THEN x ELSE round(x, d) END;
CREATE MACRO trino_truncate_decimal(x, d, s) AS CASE WHEN d IS NULL OR x IS NULL THEN NULL WHEN d >= s THEN x
    WHEN abs(round(x, d)) > abs(x) THEN round(x, d) - sign(x) * CAST(pow(10, -d) AS DECIMAL(38,10)) ELSE round(x, d)
    END;
CREATE MACRO trino_wrapped(h, bits) AS CAST(((h + (1::HUGEINT << (bits - 1))) % (1::HUGEINT << bits) + (1::HUGEINT <<
    bits))
    % (1::HUGEINT << bits) - (1::HUGEINT << (bits - 1)) AS BIGINT);
CREATE MACRO trino_unsigned(x, bits) AS CASE WHEN x < 0 THEN CAST(x AS HUGEINT) + (1::HUGEINT << bits) ELSE CAST(x AS
    HUGEINT) END;
CREATE MACRO trino_left_shift(x, n, bits) AS CASE WHEN x IS NULL OR n IS NULL THEN NULL WHEN n >= bits OR n < 0 THEN 0
    ELSE trino_wrapped(CAST(x AS HUGEINT) * CAST(pow(2, n) AS HUGEINT) % (1::HUGEINT << bits), bits) END;
CREATE MACRO trino_right_shift(x, n, bits) AS CASE WHEN x IS NULL OR n IS NULL THEN NULL WHEN n >= bits OR n < 0 THEN 0
    ELSE trino_wrapped(trino_unsigned(x, bits) // CAST(pow(2, n) AS HUGEINT), bits) END;
CREATE MACRO trino_right_shift_arithmetic(x, n, bits) AS CASE WHEN x IS NULL OR n IS NULL THEN NULL
    WHEN n >= bits OR n < 0 THEN CASE WHEN x >= 0 THEN 0 ELSE -1 END ELSE CAST(x AS BIGINT) >> CAST(n AS BIGINT) END;
CREATE MACRO trino_bit_count(x, bits) AS CASE WHEN x IS NULL THEN NULL
    WHEN x < -(1::HUGEINT << (bits - 1)) OR x >= (1::HUGEINT << (bits - 1))
    THEN CAST('INVALID_FUNCTION_ARGUMENT: Number must be representable with the bits specified. ' || CAST(x AS VARCHAR)
        || ' cannot be represented with ' || CAST(bits AS VARCHAR) || ' bits' AS BIGINT)
    ELSE CAST(bit_count(CAST(CAST(x AS BIGINT) & CAST((1::HUGEINT << bits) - 1 AS BIGINT) AS BIGINT)) AS BIGINT) END;
CREATE MACRO trino_hex_number(s) AS list_transform([s], lambda nj_t: CAST(CASE WHEN nj_t IS NULL THEN NULL
    WHEN regexp_full_match(nj_t, '[+]?[0-9a-fA-F]{1,16}') THEN '0x' || ltrim(nj_t, '+')
    WHEN regexp_full_match(nj_t, '-[0-9a-fA-F]{1,16}') THEN CAST(-CAST('0x' || nj_t[2:] AS BIGINT) AS VARCHAR)
    ELSE 'INVALID_FUNCTION_ARGUMENT: Not a valid base-16 number: ' || nj_t END AS BIGINT))[1];
CREATE MACRO trino_base_digits(s, radix) AS list_reduce(list_transform(string_split(s, ''),
            lambda nj_c: CAST(strpos('0123456789abcdefghijklmnopqrstuvwxyz', nj_c) - 1 AS HUGEINT)),
            lambda nj_a, nj_d: nj_a * radix + nj_d);
CREATE MACRO trino_base_number(s, radix) AS CASE WHEN s IS NULL THEN NULL
    WHEN regexp_full_match(s, '[+-]?[0-9a-z]+') AND len(list_filter(string_split(ltrim(s, '+-'), ''), lambda nj_c:
            strpos('0123456789abcdefghijklmnopqrstuvwxyz', nj_c) > radix)) = 0
    THEN CAST(CASE WHEN s[1] = '-' THEN -1 ELSE 1 END * trino_base_digits(ltrim(s, '+-'), radix) AS BIGINT)
    ELSE CAST('INVALID_FUNCTION_ARGUMENT: Not a valid base-' || CAST(radix AS VARCHAR) || ' number: ' || s AS BIGINT)
    END;
CREATE MACRO trino_to_base(x, radix) AS CASE WHEN x < 0 THEN '-' ELSE '' END || lower(to_base(abs(x), radix));
CREATE MACRO trino_width_problem(x, a, b, n) AS CASE
    WHEN n <= 0 THEN 'bucketCount must be greater than 0' WHEN isnan(x) THEN 'operand must not be NaN'
    WHEN NOT isfinite(a) THEN 'first bound must be finite' WHEN NOT isfinite(b) THEN 'second bound must be finite'
    WHEN a = b THEN 'bounds cannot equal each other' END;
CREATE MACRO trino_bucket(x, low, high, n) AS CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1
    ELSE CAST(floor(n * (x - low) / (high - low) + 1) AS BIGINT) END;
CREATE MACRO trino_width_bucket(x, a, b, n) AS CASE WHEN x IS NULL OR a IS NULL OR b IS NULL OR n IS NULL THEN NULL
    WHEN trino_width_problem(x, a, b, n) IS NOT NULL
    THEN CAST('INVALID_FUNCTION_ARGUMENT: ' || trino_width_problem(x, a, b, n) AS BIGINT)
    WHEN a > b THEN n - trino_bucket(x, b, a, n) + 1 ELSE trino_bucket(x, a, b, n) END;
CREATE MACRO trino_bin(x, bins) AS CASE WHEN x IS NULL OR bins IS NULL THEN NULL WHEN len(bins) = 0
    THEN CAST('INVALID_FUNCTION_ARGUMENT: Bins cannot be an empty array' || substr(CAST(x AS VARCHAR), 99) AS BIGINT)
    WHEN bins <> list_sort(bins)
    THEN CAST('INVALID_FUNCTION_ARGUMENT: Bin values are not sorted in ascending order' || substr(CAST(x AS VARCHAR),
    99)
        AS BIGINT)
    ELSE len(list_filter(bins, lambda nj_b: nj_b <= x)) END;
"""
