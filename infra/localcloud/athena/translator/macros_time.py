"""DuckDB macros of dates, times, zones and intervals. ``macros`` installs them."""

from __future__ import annotations

# Where clocks are set back a local time occurs twice: Java takes the first occurrence, ICU (DuckDB 1.5) the second.
ZONES = r"""
CREATE MACRO trino_offset_minutes(z) AS CASE WHEN regexp_full_match(z, '[+-][0-9]{2}:[0-9]{2}')
    THEN CAST(z[1] || '1' AS INTEGER) * (CAST(z[2:3] AS INTEGER) * 60 + CAST(z[5:6] AS INTEGER)) END;
CREATE MACRO trino_at_zone(t, z) AS CASE WHEN z[1] IN ('+', '-') THEN t + to_minutes(trino_offset_minutes(z))
    ELSE timezone(z, timezone('UTC', t)) END;
CREATE MACRO trino_first_instant(t, z, u) AS CASE
    WHEN timezone(z, timezone('UTC', u - to_minutes(60))) = t THEN u - to_minutes(60)
    WHEN timezone(z, timezone('UTC', u - to_minutes(30))) = t THEN u - to_minutes(30) ELSE u END;
CREATE MACRO trino_from_zone(t, z) AS CASE
    WHEN z[1] IN ('+', '-') THEN CAST(t AS TIMESTAMP) - to_minutes(trino_offset_minutes(z))
    ELSE trino_first_instant(CAST(t AS TIMESTAMP), z, timezone('UTC', timezone(z, CAST(t AS TIMESTAMP)))) END;
CREATE MACRO trino_round_micros(us, unit) AS us // unit * unit + CASE
    WHEN us % unit * 2 >= unit THEN unit WHEN us % unit * 2 < -unit THEN -unit ELSE 0 END;
CREATE MACRO trino_rounded(t, unit) AS make_timestamp(trino_round_micros(epoch_us(t), unit));
CREATE MACRO trino_timestamp_text(t, digits) AS CASE WHEN t IS NULL THEN NULL
    ELSE CASE WHEN year(t) < 0 THEN printf('-%04d', -year(t)) ELSE strftime(t, '%Y') END || strftime(t,
    '-%m-%d %H:%M:%S')
        || CASE WHEN digits > 0 THEN '.' || strftime(t, '%f')[:digits] ELSE '' END END;
CREATE MACRO trino_date_text(d) AS CASE WHEN d IS NULL THEN NULL WHEN year(d) >= 0 THEN strftime(d, '%Y-%m-%d')
    ELSE printf('-%04d', -year(d)) || strftime(d, '-%m-%d') END;
CREATE MACRO trino_seconds_text(ms) AS CASE WHEN ms IS NULL THEN NULL ELSE CASE WHEN ms < 0 THEN '-' ELSE '' END
    || printf('%d %02d:%02d:%02d.%03d', abs(ms) // 86400000, abs(ms) // 3600000 % 24, abs(ms) // 60000 % 60,
        abs(ms) // 1000 % 60, abs(ms) % 1000) END;
CREATE MACRO trino_months_text(m) AS CASE WHEN m IS NULL THEN NULL ELSE CASE WHEN m < 0 THEN '-' ELSE '' END
    || printf('%d-%d', abs(m) // 12, abs(m) % 12) END;
"""

INTERVALS = r"""
CREATE MACRO trino_whole_days(ms) AS CASE WHEN ms % 86400000 = 0 THEN CAST(ms // 86400000 AS INTEGER)
    ELSE CAST('TYPE_MISMATCH: Cannot add hour, minutes or seconds to a date' || substr(CAST(ms AS VARCHAR), 99)
        AS INTEGER) END;
"""

TIMES = r"""
CREATE MACRO trino_from_millis(ms) AS make_timestamp(CAST(ms AS BIGINT) * 1000);
CREATE MACRO trino_zone(z) AS CASE WHEN lower(z) IN ('utc', 'z', 'gmt', '+00:00', 'etc/utc') THEN 'UTC' ELSE z END;
CREATE MACRO trino_offset_text(minutes, zero) AS CASE WHEN minutes = 0 THEN zero
    ELSE CASE WHEN minutes < 0 THEN '-' ELSE '+' END || printf('%02d:%02d', abs(minutes) // 60, abs(minutes) % 60) END;
CREATE MACRO trino_zoned_text(s) AS regexp_extract(s,
    '^(-?[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}(?: [0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2}(?:\.[0-9]{1,12})?)?)?)'
    || '\s*([A-Za-z+-].*)?$',
    ['time', 'zone']);
CREATE MACRO trino_iso_pattern() AS
    '^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(?:T(?:([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?)?'
    || '(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?$';
CREATE MACRO trino_iso_parts(s) AS regexp_extract(s, trino_iso_pattern(), ['y', 'mo', 'd', 'h', 'mi', 's', 'f', 'z']);
CREATE MACRO trino_number_or(t, d) AS CASE WHEN t = '' THEN d ELSE CAST(t AS BIGINT) END;
CREATE MACRO trino_iso_local(s) AS CASE WHEN s IS NULL THEN NULL
    WHEN NOT regexp_full_match(s, trino_iso_pattern())
    THEN CAST('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || s || '"' AS TIMESTAMP)
    ELSE make_timestamp(CAST(trino_iso_parts(s).y AS BIGINT), trino_number_or(trino_iso_parts(s).mo, 1),
        trino_number_or(trino_iso_parts(s).d, 1), trino_number_or(trino_iso_parts(s).h, 0),
        trino_number_or(trino_iso_parts(s).mi, 0),
        trino_number_or(trino_iso_parts(s).s, 0) + trino_number_or(rpad(trino_iso_parts(s).f, 3, '0'), 0) / 1000e0) END;
CREATE MACRO trino_iso_zone(s) AS CASE WHEN trino_iso_parts(s).z IN ('', 'Z', '+00:00', '+00', '+0000') THEN 'UTC'
    ELSE trino_iso_parts(s).z[1:3] || ':' || coalesce(nullif(ltrim(trino_iso_parts(s).z[4:], ':'), ''), '00') END;
CREATE MACRO trino_iso_date(s) AS CASE WHEN s IS NULL THEN NULL
    WHEN regexp_full_match(s, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN CAST(s AS DATE)
    WHEN regexp_full_match(s, '[0-9]{4}-[0-9]{2}') THEN CAST(s || '-01' AS DATE)
    WHEN regexp_full_match(s, '[0-9]{4}-[0-9]{3}') THEN make_date(CAST(s[1:4] AS BIGINT), 1, 1) + CAST(s[6:8] AS
    INTEGER) - 1
    WHEN regexp_full_match(s, '[0-9]{4}-W[0-9]{2}(-[1-7])?')
    THEN CAST(date_trunc('week', make_date(CAST(s[1:4] AS BIGINT), 1, 4)) AS DATE)
        + (CAST(s[7:8] AS INTEGER) - 1) * 7 + CASE WHEN length(s) > 8 THEN CAST(s[10:10] AS INTEGER) - 1 ELSE 0 END
    ELSE CAST('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || s || '"' AS DATE) END;
CREATE MACRO trino_step_problem(forward, step, steps) AS CASE
    WHEN step = 0 THEN 'step must not be zero' WHEN steps < 0
    THEN 'sequence stop value should be greater than or equal to start value if step is greater than zero '
    || 'otherwise stop should be less than or equal to start'
    WHEN steps >= 10000 THEN 'result of sequence function must not have more than 10000 entries' END;
CREATE MACRO trino_steps(span, step) AS CASE WHEN step = 0 THEN 0 WHEN (span > 0 AND step < 0) OR (span < 0 AND step >
    0) THEN -1
    ELSE span // step END;
CREATE MACRO trino_steps_fine(span, step) AS CASE WHEN trino_step_problem(span, step, trino_steps(span, step)) IS NOT
    NULL
    THEN CAST('INVALID_FUNCTION_ARGUMENT: ' || trino_step_problem(span, step, trino_steps(span, step)) AS TINYINT) = 0
    ELSE true END;
CREATE MACRO trino_sequence(a, b, step) AS CASE WHEN a IS NULL OR b IS NULL OR step IS NULL THEN NULL
    WHEN trino_steps_fine(CAST(b AS BIGINT) - CAST(a AS BIGINT), step)
    THEN generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT), CAST(step AS BIGINT)) END;
CREATE MACRO trino_time_steps(a, b, span, step) AS CASE WHEN a IS NULL OR b IS NULL OR step IS NULL THEN NULL
    WHEN trino_steps_fine(span + CASE WHEN span = 0 AND a < b THEN 1 WHEN span = 0 AND a > b THEN -1 ELSE 0 END, step)
    THEN list_transform(generate_series(0, trino_steps(span, step)), lambda nj_k: nj_k * step) END;
CREATE MACRO trino_counted(n, name) AS CASE WHEN n = 0 THEN NULL WHEN n = 1 THEN '1 ' || name
    ELSE CAST(n AS VARCHAR) || ' ' || name || 's' END;
CREATE MACRO trino_readable_seconds(n) AS CASE WHEN n = 0 THEN '0 seconds' WHEN n IS NOT NULL THEN concat_ws(', ',
    trino_counted(n // 604800, 'week'), trino_counted(n // 86400 % 7, 'day'), trino_counted(n // 3600 % 24, 'hour'),
    trino_counted(n // 60 % 60, 'minute'), trino_counted(n % 60, 'second')) END;
CREATE MACRO trino_duration_parts(s) AS regexp_extract(s, '^\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]+)\s*$', ['n', 'u']);
CREATE MACRO trino_duration_millis(s) AS CASE WHEN s IS NULL THEN NULL
    WHEN trino_duration_parts(s).u IN ('ns', 'us', 'ms', 's', 'm', 'h', 'd')
    THEN CAST(round(CAST(trino_duration_parts(s).n AS DOUBLE) * CASE trino_duration_parts(s).u WHEN 'ns' THEN 1e-6
        WHEN 'us' THEN 1e-3 WHEN 'ms' THEN 1e0 WHEN 's' THEN 1e3 WHEN 'm' THEN 6e4 WHEN 'h' THEN 36e5 ELSE 864e5 END)
        AS BIGINT)
    ELSE CAST('INVALID_FUNCTION_ARGUMENT: duration is not a valid data duration string: ' || s AS BIGINT) END;
"""

FORMATS = r"""
CREATE MACRO trino_clock_hour(h) AS CASE WHEN h BETWEEN 1 AND 12 THEN h % 12
    ELSE CAST('INVALID_FUNCTION_ARGUMENT: Value ' || CAST(h AS VARCHAR)
        || ' for clockhourOfHalfday must be in the range [1,12]' AS BIGINT) END;
CREATE MACRO trino_calendar_date(y, m, d) AS CASE WHEN m NOT BETWEEN 1 AND 12
    THEN CAST('INVALID_FUNCTION_ARGUMENT: Value ' || CAST(m AS VARCHAR) ||
    ' for monthOfYear must be in the range [1,12]'
        AS TIMESTAMP)
    WHEN d NOT BETWEEN 1 AND day(last_day(make_date(y, m, 1)))
    THEN CAST('INVALID_FUNCTION_ARGUMENT: Value ' || CAST(d AS VARCHAR) || ' for dayOfMonth must be in the range [1,'
        || CAST(day(last_day(make_date(y, m, 1))) AS VARCHAR) || ']' AS TIMESTAMP)
    ELSE make_timestamp(y, m, d, 0, 0, 0) END;
CREATE MACRO trino_checked_time(day, h, mi, ms, written) AS CASE
    WHEN h < 24 AND mi < 60 AND ms < 60000 THEN day + to_milliseconds(h * 3600000 + mi * 60000 + ms)
    ELSE CAST('INVALID_FUNCTION_ARGUMENT: Cannot parse "' || written || '": a value is out of range' AS TIMESTAMP) END;
CREATE MACRO trino_week_date(y, w, d) AS date_trunc('week', make_timestamp(y, 1, 4, 0, 0, 0))
    + to_days(CAST((CASE WHEN w BETWEEN 1 AND 53 THEN w ELSE CAST('INVALID_FUNCTION_ARGUMENT: Value ' || CAST(w AS
    VARCHAR)
        || ' for weekOfWeekyear must be in the range [1,53]' AS BIGINT) END - 1) * 7 + d - 1 AS INTEGER));
CREATE MACRO trino_ordinal_date(y, n) AS CASE WHEN n BETWEEN 1 AND dayofyear(make_date(y, 12, 31))
    THEN make_timestamp(y, 1, 1, 0, 0, 0) + to_days(CAST(n - 1 AS INTEGER))
    ELSE CAST('INVALID_FUNCTION_ARGUMENT: Value ' || CAST(n AS VARCHAR) || ' for dayOfYear must be in the range [1,'
        || CAST(dayofyear(make_date(y, 12, 31)) AS VARCHAR) || ']' AS TIMESTAMP) END;
CREATE MACRO trino_parsed_offset(z) AS CASE WHEN z IN ('', 'Z', '+00', '+0000', '+00:00') THEN 'UTC'
    ELSE z[1:3] || ':' || coalesce(nullif(ltrim(z[4:], ':'), ''), '00') END;
"""
