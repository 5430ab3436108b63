"""infra/localcloud/athena/execution.py, in this process: statements that read no table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from infra.localcloud.athena.aws import CallerAws
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.execution import StatementExecution
from infra.localcloud.athena.results import Result

# Of a caller who is never asked: the statements read no table.
CREDENTIALS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "AKIATEST",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "query"


def execute(folder: Path, sql: str, **options: Any) -> Result:
    settings: dict[str, Any] = {
        "database": "default",
        "result_location": "s3://bucket/results/",
        "aws": CallerAws(CREDENTIALS),
        "check": lambda: None,
        "opened": lambda connection: None,
        "prepared": {},
        "prepare": lambda name, statement: None,
        **options,
    }
    return StatementExecution("id", sql, folder=folder, **settings).run()


def test_a_time_with_a_zone_is_read(folder: Path) -> None:
    """DuckDB makes such a value with pytz, which it does not require itself."""
    result = execute(folder, "SELECT from_iso8601_timestamp('2013-03-01T10:15:00Z') AS at")
    assert result.rows == [["2013-03-01 10:15:00.000 UTC"]]
    assert result.metadata()[0]["Type"] == "timestamp with time zone"
    assert result.csv() == b'"at"\n"2013-03-01 10:15:00.000 UTC"\n'


def test_the_folder_is_deleted_whatever_happens(folder: Path) -> None:
    def opened(connection: duckdb.DuckDBPyConnection) -> None:
        assert folder.is_dir()

    execute(folder, "SELECT 1", opened=opened)
    assert not folder.exists()
    with pytest.raises(QueryError, match="DIVISION_BY_ZERO"):
        execute(folder, "SELECT 1 / 0", opened=opened)
    assert not folder.exists()


def test_a_query_that_must_stop_is_stopped_before_it_reads(folder: Path) -> None:
    def check() -> None:
        raise QueryError("Query timeout")

    with pytest.raises(QueryError, match="Query timeout"):
        execute(folder, "SELECT 1", check=check)


def test_prepared_statements_are_kept_and_executed(folder: Path) -> None:
    kept: dict[str, str | None] = {}
    execute(folder, "PREPARE next FROM SELECT ? + 1", prepare=kept.__setitem__)
    assert kept == {"next": "SELECT ? + 1"}
    assert execute(folder, "EXECUTE next USING 2", prepared=kept).rows == [["3"]]
    execute(folder, "DEALLOCATE PREPARE next", prepared=kept, prepare=kept.__setitem__)
    assert kept == {"next": None}
    with pytest.raises(QueryError, match="Prepared statement other was not found"):
        execute(folder, "EXECUTE other", prepared=kept)


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("FETCH 1", QueryError, "mismatched input 'FETCH'"),
        ("DELETE FROM t", QueryError, "only supported for transactional tables"),
        ("INSERT t SELECT 1", QueryError, "Expecting: 'INSERT INTO'"),
        ("UNLOAD (SELECT 1 AS a) TO 's3://b/p/' WITH (format = 'ORC')", UnsupportedError, "UNLOAD in the format ORC"),
        ("UNLOAD (SELECT 1 AS a) TO 'file:/tmp' WITH (format = 'PARQUET')", QueryError, "'file:/tmp' is not an S3 URI"),
        ("CREATE EXTERNAL TABLE t (a int) STORED AS ORC LOCATION 's3://b/p/'", UnsupportedError, "STORED AS ORC"),
        ("CREATE EXTERNAL TABLE t (a int) STORED AS PARQUET", QueryError, "LOCATION"),
        (
            "CREATE EXTERNAL TABLE t (a int) SORTED BY (a)",
            QueryError,
            "line 1:32 cannot recognize input near 'SORTED' 'BY'",
        ),
    ],
)
def test_a_statement_that_is_wrong_or_not_honoured_names_its_part(
    folder: Path, sql: str, error: type[QueryError], message: str
) -> None:
    with pytest.raises(QueryError) as caught:
        execute(folder, sql)
    assert type(caught.value) is error
    assert message in str(caught.value)


def test_functions_in_python_run_in_a_statement_and_fail_with_trinos_text(folder: Path) -> None:
    sql = """SELECT regexp_extract(s, '(a)|b', 1) AS g, json_parse('{"b": 1, "a": ' || s || '}') AS j
        FROM (VALUES '1', '2') AS t(s) WHERE regexp_like(s, '(?<!x)1') GROUP BY 1, 2"""
    result = execute(folder, sql)
    assert result.rows == [[None, '{"a":1,"b":1}']]
    assert [column["Type"] for column in result.metadata()] == ["varchar", "json"]
    with pytest.raises(QueryError) as caught:
        execute(folder, "SELECT split(s, '') FROM (VALUES 'a') AS t(s)")
    assert str(caught.value) == "INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string"
