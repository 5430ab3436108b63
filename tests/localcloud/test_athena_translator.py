"""Trino expressions and the values Trino gives, as Athena prints them (null is None).

The values follow Trino's documentation; where it gives a rule and no example, they were derived by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator import dialect
from tests.support.athena_expressions import evaluate, open_connection

ROWS = """(VALUES (1, 1.5e0, 'a', true), (2, nan(), 'b', false), (3, NULL, NULL, NULL), (3, 2.5e0, 'B', true))
AS t(i, d, s, b)"""


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    found = open_connection()
    found.execute(
        "CREATE SCHEMA lake;"
        "CREATE TABLE lake.t (i INTEGER, b BIGINT, d DOUBLE, r FLOAT, s VARCHAR, ts TIMESTAMP, dt DATE,"
        " p DECIMAL(10,2))"
    )
    yield found
    found.close()


EXPRESSIONS = [
    # whole numbers
    ("7 / 2", "3"),
    ("-7 / 2", "-3"),
    ("7 / -2", "-3"),
    ("-7 % 2", "-1"),
    ("7 % -2", "1"),
    ("mod(-7, 3)", "-1"),
    ("7 / NULL", None),
    ("7 / 2e0", "3.5"),
    ("CAST(1 AS real) / 3", "0.33333334"),
    ("1e0 / 0", "Infinity"),
    ("-1e0 / 0", "-Infinity"),
    ("0e0 / 0", "NaN"),
    ("is_nan(0e0 / 0)", "true"),
    ("nan() = nan()", "false"),
    ("nan() <> nan()", "true"),
    ("nan() > 15", "false"),
    ("try(1 / 0)", None),
    ("try(CAST('x' AS integer))", None),
    ("abs(-3)", "3"),
    ("floor(-2.5e0)", "-3.0"),
    ("ceil(2)", "2"),
    ("round(2.5e0)", "3.0"),
    ("round(-2.5e0)", "-3.0"),
    ("round(1.250, 1)", "1.300"),
    ("truncate(-2.7e0)", "-2.0"),
    ("sign(-8)", "-1"),
    ("power(2, 3)", "8.0"),
    ("log(2, 8)", "3.0"),
    ("sqrt(9)", "3.0"),
    # decimals
    ("1.50 + 1", "2.50"),
    ("1.5 * 1.5", "2.25"),
    ("CAST(1.555 AS decimal(10,2))", "1.56"),
    ("CAST(-1.555 AS decimal(10,2))", "-1.56"),
    ("CAST('12.5' AS decimal(10,2))", "12.50"),
    ("CAST(7 AS decimal)", "7"),
    # casts
    ("CAST(2.5e0 AS integer)", "3"),
    ("CAST(-2.5e0 AS integer)", "-3"),
    ("CAST(3.5e0 AS bigint)", "4"),
    ("TRY_CAST('1.5' AS integer)", None),
    ("TRY_CAST(' 1' AS integer)", None),
    ("TRY_CAST('1e3' AS double)", "1000.0"),
    ("TRY_CAST('yes' AS boolean)", None),
    ("CAST('T' AS boolean)", "true"),
    ("TRY_CAST('2013-03-01T10:00:00' AS timestamp)", None),
    ("CAST('2013-03-01 10:00' AS timestamp)", "2013-03-01 10:00:00.000"),
    ("CAST(1e0 AS varchar)", "1.0E0"),
    ("CAST(1e10 AS varchar)", "1.0E10"),
    ("CAST(9999999e0 AS varchar)", "9.999999E6"),
    ("CAST(1e7 AS varchar)", "1.0E7"),
    ("CAST(0.001e0 AS varchar)", "1.0E-3"),
    ("CAST(-1.5e-5 AS varchar)", "-1.5E-5"),
    ("CAST(123456789.125e0 AS varchar)", "1.23456789125E8"),
    ("CAST(nan() AS varchar)", "NaN"),
    ("CAST(-infinity() AS varchar)", "-Infinity"),
    ("CAST(0e0 AS varchar)", "0E0"),
    ("CAST(CAST(0.1 AS real) AS varchar)", "1.0E-1"),
    ("CAST(true AS varchar)", "true"),
    ("CAST(1.50 AS varchar)", "1.50"),
    ("CAST(date '2013-03-01' AS varchar)", "2013-03-01"),
    ("CAST(timestamp '2013-03-01 00:00:00' AS varchar)", "2013-03-01 00:00:00"),
    ("CAST(CAST('2013-03-01 00:00:00' AS timestamp) AS varchar)", "2013-03-01 00:00:00.000"),
    ("CAST(timestamp '2013-03-01 10:20:30.045' AS varchar)", "2013-03-01 10:20:30.045"),
    ("CAST(date '2013-03-01' AS timestamp)", "2013-03-01 00:00:00.000"),
    ("CAST(timestamp '2013-03-01 23:59:59' AS date)", "2013-03-01"),
    ("CAST('abc' AS varchar(2))", "ab"),
    ("CAST(NULL AS varchar)", None),
    ("CAST(true AS integer)", "1"),
    # text
    ("'a' || 'b'", "ab"),
    ("'a' || NULL", None),
    ("'a' || 'b' || lower(NULL) || 'c' || 'd'", None),
    ("'a' || coalesce(lower(NULL), 'b') || upper('c') || 'd' || ('e' || lower('F'))", "abCdef"),
    ("'a' || coalesce(lower(NULL), lower(NULL)) || 'd'", None),
    ("'a' || coalesce(lower(NULL), NULL) || 'd'", None),
    ("concat('a', NULL)", None),
    ("concat_ws('|', 'a', NULL, 'b')", "a|b"),
    ("concat_ws(NULL, 'a', 'b')", None),
    ("'a' < 'B'", "false"),
    ("'abc' LIKE 'A%'", "false"),
    ("'a_c' LIKE 'a\\_c' ESCAPE '\\'", "true"),
    ("length('aé')", "2"),
    ("length(to_utf8('aé'))", "3"),
    ("substr('abc', 0, 2)", ""),
    ("substr('abc', -2)", "bc"),
    ("substr('abc', -5, 3)", ""),
    ("substring('abc' FROM 2 FOR 1)", "b"),
    ("position('c' IN 'abc')", "3"),
    ("strpos('abc', 'z')", "0"),
    ("trim('  a ')", "a"),
    ("trim(LEADING 'x' FROM 'xxax')", "ax"),
    ("replace('aba', 'a')", "b"),
    ("lpad('abc', 2, 'x')", "ab"),
    ("lpad('1', 3, '0')", "001"),
    ("split('a,,b', ',')", "[a, , b]"),
    ("split('a,b', ',')[2]", "b"),
    ("split_part('a,b', ',', 3)", None),
    ("regexp_like('1a 2b', '\\d+b')", "true"),
    ("regexp_extract('1a 2b', '\\d+[a-z]')", "1a"),
    ("regexp_extract('1a 2b', '(\\d+)([a-z])', 2)", "a"),
    ("regexp_extract('abc', '\\d')", None),
    ("regexp_replace('1a 2b', '(\\d)([ab])', '$2$1')", "a1 b2"),
    ("regexp_replace('a1b2', '\\d')", "ab"),
    ("regexp_extract_all('1a 2b', '\\d')", "[1, 2]"),
    ("regexp_count('1a 2b', '\\d')", "2"),
    ('json_extract_scalar(\'{"a": {"b": [1, "x"]}}\', \'$.a.b[1]\')', "x"),
    ("json_extract_scalar('{\"a\": {\"b\": 1}}', '$.a')", None),
    ("json_extract_scalar('no json', '$.a')", None),
    # nulls and conditions
    ("greatest(1, NULL)", None),
    ("least(2, 1)", "1"),
    ("coalesce(NULL, 'x')", "x"),
    ("nullif(1, 1)", None),
    ("IF(NULL, 1, 2)", "2"),
    ("IF(1 = 2, 1)", None),
    ("CASE WHEN NULL THEN 1 ELSE 2 END", "2"),
    ("NULL IS NOT DISTINCT FROM NULL", "true"),
    ("NULL = NULL", None),
    ("1 IN (2, NULL)", None),
    ("2 BETWEEN 1 AND 2", "true"),
    # times
    ("date_diff('day', timestamp '2013-03-01 23:00:00', timestamp '2013-03-02 01:00:00')", "0"),
    ("date_diff('hour', timestamp '2013-03-01 10:59:00', timestamp '2013-03-01 11:01:00')", "0"),
    ("date_diff('hour', timestamp '2013-03-01 12:30:00', timestamp '2013-03-01 10:00:00')", "-2"),
    ("date_diff('month', date '2013-01-15', date '2013-02-14')", "0"),
    ("date_diff('month', date '2020-01-31', date '2020-02-29')", "1"),
    ("date_diff('year', date '2012-12-31', date '2013-01-01')", "0"),
    ("date_diff('day', date '2013-03-01', date '2013-02-27')", "-2"),
    ("date_diff('millisecond', timestamp '2013-03-01 00:00:00.250', timestamp '2013-03-01 00:00:01')", "750"),
    ("date_add('month', 1, date '2013-01-31')", "2013-02-28"),
    ("date_add('day', -1, timestamp '2013-03-01 10:00:00')", "2013-02-28 10:00:00.000"),
    ("date '2013-01-01' + INTERVAL '1' DAY", "2013-01-02"),
    ("timestamp '2013-01-01 00:00:00' - INTERVAL '3' HOUR", "2012-12-31 21:00:00.000"),
    ("date_trunc('month', date '2013-03-15')", "2013-03-01"),
    ("date_trunc('week', timestamp '2013-03-03 10:00:00')", "2013-02-25 00:00:00.000"),
    ("day_of_week(date '2013-03-03')", "7"),
    ("EXTRACT(dow FROM date '2013-03-04')", "1"),
    ("week(date '2013-01-01')", "1"),
    ("year_of_week(date '2012-12-31')", "2013"),
    ("millisecond(timestamp '2013-03-01 00:00:05.123')", "123"),
    ("second(timestamp '2013-03-01 00:00:05.923')", "5"),
    ("last_day_of_month(date '2012-02-10')", "2012-02-29"),
    ("from_unixtime(1362096000)", "2013-03-01 00:00:00.000 UTC"),
    ("from_unixtime(1.5e0)", "1970-01-01 00:00:01.500 UTC"),
    ("to_unixtime(timestamp '2013-03-01 00:00:00.250')", "1.36209600025E9"),
    ("from_iso8601_timestamp('2013-03-01T10:15:00Z')", "2013-03-01 10:15:00.000 UTC"),
    ("CAST(from_iso8601_timestamp('2013-03-01T10:15:00Z') AS timestamp)", "2013-03-01 10:15:00.000"),
    ("to_iso8601(timestamp '2013-03-01 10:15:00')", "2013-03-01T10:15:00"),
    ("timestamp '2013-03-01 10:00:00' AT TIME ZONE 'UTC'", "2013-03-01 10:00:00.000 UTC"),
    ("date_parse('01/03/2013 07:05', '%d/%m/%Y %H:%i')", "2013-03-01 07:05:00.000"),
    ("date_format(timestamp '2013-03-01 07:05:09', '%Y-%m-%d %H:%i:%s')", "2013-03-01 07:05:09"),
    ("format_datetime(timestamp '2013-03-01 07:05:09.012', 'yyyy-MM-dd''T''HH:mm:ss.SSS')", "2013-03-01T07:05:09.012"),
    ("date('2013-03-01') = date '2013-03-01'", "true"),
    ("timestamp '2013-03-01 00:00:00' = date '2013-03-01'", "true"),
    # bytes and bases
    ("to_hex(md5(to_utf8('a')))", "0CC175B9C0F1B6A831C399E269772661"),
    ("substr(to_hex(sha256(to_utf8('abc'))), 1, 12)", "BA7816BF8F01"),
    ("from_base('ff', 16)", "255"),
    ("from_base('-ff', 16)", "-255"),
    ("from_base('101', 2)", "5"),
    ("from_base('zz', 36)", "1295"),
    ("to_base(255, 16)", "ff"),
    ("from_utf8(from_hex('41'))", "A"),
    ("X'4142'", "41 42"),
    ("bitwise_and(12, 10)", "8"),
    ("bitwise_xor(12, 10)", "6"),
    ("bitwise_not(0)", "-1"),
    # arrays and maps
    ("ARRAY[1, 2][1]", "1"),
    ("element_at(ARRAY[1, 2], 3)", None),
    ("element_at(ARRAY[1, 2], -1)", "2"),
    ("cardinality(ARRAY[1, NULL])", "2"),
    ("contains(ARRAY[1, NULL], 2)", None),
    ("contains(ARRAY[1, 2], 2)", "true"),
    ("array_max(ARRAY[1, NULL])", None),
    ("array_position(ARRAY['a'], 'b')", "0"),
    ("array_sort(ARRAY[3, NULL, 1])", "[1, 3, null]"),
    ("array_join(ARRAY['a', NULL, 'b'], ',')", "a,b"),
    ("transform(ARRAY[1, 2], x -> x + 1)", "[2, 3]"),
    ("filter(ARRAY[1, 2, 3], x -> x > 1)", "[2, 3]"),
    ("sequence(3, 1)", "[3, 2, 1]"),
    ("map(ARRAY['a'], ARRAY[1])['a']", "1"),
    ("element_at(map(ARRAY['a'], ARRAY[1]), 'b')", None),
    ("map(ARRAY['a', 'b'], ARRAY[1, 2])", "{a=1, b=2}"),
]

QUERIES = [
    (f"SELECT i FROM {ROWS} ORDER BY d, i", [["1"], ["3"], ["2"], ["3"]]),
    (f"SELECT s FROM {ROWS} ORDER BY s DESC", [["b"], ["a"], ["B"], [None]]),
    (f"SELECT s FROM {ROWS} ORDER BY s NULLS FIRST LIMIT 1", [[None]]),
    (f"SELECT count(*), count(s), count(DISTINCT i) FROM {ROWS}", [["4", "3", "3"]]),
    (f"SELECT sum(i), sum(i) / count(*), avg(i) FROM {ROWS}", [["9", "2", "2.25"]]),
    (f"SELECT count_if(b), bool_or(b), bool_and(b) FROM {ROWS}", [["2", "true", "false"]]),
    (f"SELECT count(*) FROM {ROWS} WHERE d > 1", [["2"]]),
    (f"SELECT count(*) FILTER (WHERE i = 3) FROM {ROWS}", [["2"]]),
    (f"SELECT max_by(s, i), min_by(s, i) FROM {ROWS} WHERE i < 3", [["b", "a"]]),
    (f"SELECT array_agg(s ORDER BY i, s) FROM {ROWS}", [["[a, b, B, null]"]]),
    (f"SELECT map_agg(s, i) FROM {ROWS} WHERE i < 3", [["{a=1, b=2}"]]),
    (f"SELECT approx_distinct(i), approx_percentile(i, 0.5) FROM {ROWS}", [["3", "2"]]),
    (
        f"SELECT i, row_number() OVER (PARTITION BY i ORDER BY s DESC) AS n FROM {ROWS} ORDER BY i, n",
        [["1", "1"], ["2", "1"], ["3", "1"], ["3", "2"]],
    ),
    (
        f"SELECT lag(s) OVER (ORDER BY i, s), lead(s) IGNORE NULLS OVER (ORDER BY i, s) FROM {ROWS} ORDER BY i, s",
        [[None, "b"], ["a", "B"], ["b", None], ["B", None]],
    ),
    ("SELECT x, n FROM UNNEST(ARRAY['a', 'b']) WITH ORDINALITY AS t(x, n) ORDER BY n", [["a", "1"], ["b", "2"]]),
    (
        "SELECT a, x FROM (VALUES (1, ARRAY[10, 20])) AS v(a, l) CROSS JOIN UNNEST(l) AS u(x) ORDER BY x",
        [["1", "10"], ["1", "20"]],
    ),
    ("SELECT k, v FROM UNNEST(map(ARRAY['a'], ARRAY[1])) AS m(k, v)", [["a", "1"]]),
    ("SELECT x, y FROM UNNEST(ARRAY[1, 2], ARRAY['a']) AS t(x, y) ORDER BY x", [["1", "a"], ["2", None]]),
    ("VALUES (1, 'a'), (2, 'b')", [["1", "a"], ["2", "b"]]),
    ("SELECT 1 UNION SELECT 1 UNION ALL SELECT 2", [["1"], ["2"]]),
    ("WITH a AS (SELECT 1 AS x), b AS (SELECT x / 2 AS y FROM a) SELECT y FROM b", [["0"]]),
    ("SELECT (SELECT max(v.x) FROM (VALUES 1, 2) AS v(x) WHERE v.x / 2 = o.y / 2) FROM (VALUES 3) AS o(y)", [["2"]]),
    (
        """SELECT date_trunc('month', d), count(*) FROM (VALUES date '2013-03-01', date '2013-03-09') AS t(d)
        GROUP BY date_trunc('month', d)""",
        [["2013-03-01", "2"]],
    ),
    ("SELECT x % 2, count(*) FROM (VALUES 1, 2, 3) AS t(x) GROUP BY 1 ORDER BY 1", [["0", "1"], ["1", "2"]]),
]

FAILING = [
    ("SELECT 1 / 0", "Division by zero"),
    ("SELECT 5 % 0", "Division by zero"),
    ("SELECT CAST('1.5' AS integer)", "1.5"),
    ("SELECT ARRAY[1][2]", "subscript"),
    ("SELECT 2147483647 + 1", "integer addition overflow: 2147483647 + 1"),
    ("SELECT 1 = '1'", "TYPE_MISMATCH"),
    ("SELECT dt = '2013-03-01' FROM lake.t", "TYPE_MISMATCH"),
    ("SELECT * FROM lake.t WHERE i", "must be boolean"),
    ("SELECT 'a' || 1", "TYPE_MISMATCH"),
    ("SELECT '1' + 1", "TYPE_MISMATCH"),
    ("SELECT concat_ws('|', i) FROM lake.t", "concat_ws"),
    ("SELECT sha256(s) FROM lake.t", "sha256"),
    ("SELECT coalesce(i, 'x') FROM lake.t", "coalesce"),
    ("SELECT CASE WHEN true THEN 1 ELSE 'x' END", "CASE"),
    ("SELECT 1::varchar", "::"),
    ("SELECT i IN (SELECT s FROM lake.t) FROM lake.t", "IN"),
    ("SELECT i + 1 AS x, x FROM lake.t", "alias"),
    ("SELECT i AS x FROM lake.t WHERE x > 1", "alias"),
    ("SELECT date_diff('hour', date '2013-01-01', date '2013-01-02')", "not a valid DATE field"),
    ("SELECT row_number() FROM lake.t", "OVER"),
]

REFUSED = [
    ("s ILIKE 'A'", "ILIKE"),
    ("lower(s) || 'x' ILIKE 'A'", "ILIKE"),
    ("checksum(i)", "checksum"),
    ("spooky_hash_v2_64(to_utf8(s))", "spooky_hash_v2_64"),
    ("json_value(s, 'lax $.a')", "json_value"),
    ("word_stem(s)", "word_stem"),
    ("typeof(s)", "typeof"),
    ("format_datetime(ts, 'G')", "G"),
    ("regexp_like(s, '[a&&b]')", "intersection"),
    ("array_distinct(ARRAY[ARRAY[1]])", "array_distinct"),
    ("read_text('/etc/passwd')", "read_text"),
]


@pytest.mark.parametrize(("expression", "expected"), EXPRESSIONS, ids=[row[0] for row in EXPRESSIONS])
def test_expressions_have_trinos_values(
    connection: duckdb.DuckDBPyConnection, expression: str, expected: str | None
) -> None:
    assert evaluate(connection, f"SELECT {expression}") == [[expected]]


@pytest.mark.parametrize(("sql", "expected"), QUERIES)
def test_queries_have_trinos_rows(
    connection: duckdb.DuckDBPyConnection, sql: str, expected: list[list[str | None]]
) -> None:
    assert evaluate(connection, sql) == expected


@pytest.mark.parametrize(("sql", "reason"), FAILING, ids=[row[0] for row in FAILING])
def test_what_fails_in_trino_fails(connection: duckdb.DuckDBPyConnection, sql: str, reason: str) -> None:
    with pytest.raises((QueryError, duckdb.Error)) as caught:
        evaluate(connection, sql)
    assert reason in str(caught.value)


@pytest.mark.parametrize(("expression", "named"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_answered_faithfully_is_refused_by_name(
    connection: duckdb.DuckDBPyConnection, expression: str, named: str
) -> None:
    with pytest.raises(UnsupportedError, match=r"(?i)cannot run") as caught:
        evaluate(connection, f"SELECT {expression} FROM lake.t")
    assert named.lower() in str(caught.value).lower()


def test_columns_without_a_name_get_the_name_that_trino_gives(connection: duckdb.DuckDBPyConnection) -> None:
    text = dialect.translate(dialect.parse("SELECT i, 1, i AS x FROM lake.t"), connection)
    assert [row[0] for row in connection.execute(f"DESCRIBE {text}").fetchall()] == ["i", "_col1", "x"]


def test_a_row_of_texts_is_put_together_in_one_call(connection: duckdb.DuckDBPyConnection) -> None:
    columns = " || ',' || ".join(["coalesce(s, '')"] * 50)
    text = dialect.translate(dialect.parse(f"SELECT '[' || {columns} || ']' FROM lake.t"), connection)
    assert "||" not in text
    assert text.count("concat(") == 1
