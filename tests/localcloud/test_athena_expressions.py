"""The tables of expressions: in the local Athena each expression has Trino's value or error, or is refused.

The values are those of Trino's documentation and tests; where neither has one, they follow from a rule in its source.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from tests.support.athena_expressions import evaluate, expressions, open_connection

VALUES = expressions("values")
ERRORS = expressions("errors")
REFUSED = expressions("refused")


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
