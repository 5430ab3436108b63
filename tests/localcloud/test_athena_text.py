"""Text, regular expressions, JSON, bytes and URLs in the local Athena: each expression has Trino's value or error.

The values are those of Trino's documentation and tests; where neither has one, they follow from a rule in its source.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.functions import regex
from tests.support.athena_expressions import evaluate, expressions, open_connection

FILES = ("text", "regex", "json", "binary_url")
VALUES = expressions(FILES, "values")
ERRORS = expressions(FILES, "errors")
REFUSED = expressions(FILES, "refused")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_connection() as found:
        yield found


@pytest.mark.parametrize("entry", VALUES, ids=[entry["sql"] for entry in VALUES])
def test_expressions_have_trinos_values(connection: duckdb.DuckDBPyConnection, entry: dict[str, Any]) -> None:
    assert evaluate(connection, f"SELECT {entry['sql']}")[0] == [entry["is"]]


@pytest.mark.parametrize("entry", ERRORS, ids=[entry["sql"] for entry in ERRORS])
def test_what_fails_in_trino_fails_with_its_error(connection: duckdb.DuckDBPyConnection, entry: dict[str, Any]) -> None:
    with pytest.raises(QueryError) as caught:
        evaluate(connection, f"SELECT {entry['sql']}")
    assert entry["error"] in str(caught.value)
    assert not isinstance(caught.value, UnsupportedError)


@pytest.mark.parametrize("entry", REFUSED, ids=[entry["sql"] for entry in REFUSED])
def test_what_cannot_be_answered_faithfully_is_refused_by_name(
    connection: duckdb.DuckDBPyConnection, entry: dict[str, Any]
) -> None:
    with pytest.raises(QueryError, match=r"^NOT_SUPPORTED: the local cloud's Athena cannot run") as caught:
        evaluate(connection, f"SELECT {entry['sql']}")
    assert entry["names"] in str(caught.value)


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
