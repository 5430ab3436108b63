"""The functions of text, regular expressions and JSON in whole queries of the local Athena."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.functions import regex
from tests.support.athena_expressions import evaluate, open_connection


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_connection() as found:
        yield found


QUERIES = [
    ("SELECT s, try(json_parse(s)) FROM (VALUES '[1]', 'x') AS t(s)", [["[1]", "[1]"], ["x", None]]),
    (
        """SELECT split_part(s, d, 2), count(*) FROM (VALUES ('a,b', ','), ('c;b', ';')) AS t(s, d)
        GROUP BY split_part(s, d, 2)""",
        [["b", "2"]],
    ),
    ("SELECT CASE WHEN n > 0 THEN chr(n) ELSE 'none' END FROM (VALUES -1, 65) AS t(n)", [["none"], ["A"]]),
    ("SELECT transform(ARRAY['aé', 'b'], x -> reverse(x) || upper(x))", [["[éaAÉ, bB]"]]),
    ("SELECT t.s FROM (VALUES 'a1', 'b') AS t(s) WHERE regexp_count(t.s, '(?=\\d)') = 1", [["a1"]]),
    (
        """SELECT a.k FROM (VALUES '{"k": 1.50}') AS t(j)
        JOIN (VALUES '1.50') AS a(k) ON a.k = json_extract_scalar(t.j, '$.k')""",
        [["1.50"]],
    ),
    ("SELECT CAST(t AS varchar) FROM (VALUES 2e0) AS t(t)", [["2.0E0"]]),
    ("SELECT max(CAST(d AS varchar)) FROM (VALUES 2e0, 10e0, NULL) AS t(d)", [["2.0E0"]]),
    ("SELECT lpad(s, n, '0') FROM (VALUES ('7', 3), (NULL, 3), ('7', NULL)) AS t(s, n)", [["007"], [None], [None]]),
]


@pytest.mark.parametrize(("sql", "rows"), QUERIES, ids=[sql for sql, _ in QUERIES])
def test_functions_work_in_every_part_of_a_query(
    connection: duckdb.DuckDBPyConnection, sql: str, rows: list[list[str | None]]
) -> None:
    assert evaluate(connection, sql) == rows


def test_a_connection_gets_only_the_functions_that_its_query_calls(connection: duckdb.DuckDBPyConnection) -> None:
    with open_connection() as fresh:
        evaluate(fresh, "SELECT chr(65)")
        known = fresh.execute("SELECT function_name FROM duckdb_functions() WHERE starts_with(function_name, 'py_')")
        assert known.fetchall() == [("py_chr",)]


def test_a_regular_expression_that_backtracks_for_ever_ends(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regex, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(QueryError, match="EXCEEDED_TIME_LIMIT"):
        evaluate(connection, f"SELECT regexp_like('{'a' * 40}b', '^(?=a)(a|aa)+$')")
