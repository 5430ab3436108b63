"""Hidden columns, information_schema, partitions as rows, EXPLAIN, OFFSET and FETCH, nested rows, places of errors."""

from __future__ import annotations

import pytest

from tests.support.athena import Athena
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack
BUCKET = "athena-metadata"


@pytest.fixture(scope="module")
def athena(cloud: Cloud) -> Athena:
    found = Athena(cloud, BUCKET)
    found.ok("CREATE DATABASE meta")
    found.sizes["one"] = found.put(
        "days/day=2013-03-01/a.json", '{"n": 1, "l": [{"x": 1, "y": "p"}, {"x": 2, "y": "q"}]}\n'
    )
    found.put("days/day=2013-03-02/b.json", '{"n": 2}\n{"n": 3}\n')
    found.ok(f"""CREATE EXTERNAL TABLE meta.days (n int COMMENT 'a number', l array<struct<x:int,y:string>>)
        PARTITIONED BY (day date) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://{BUCKET}/days/'""")
    found.ok("MSCK REPAIR TABLE meta.days")
    found.ok("CREATE VIEW meta.later AS SELECT n FROM meta.days WHERE n > 1")
    return found


def test_hidden_columns_are_read_by_name_and_not_shown_by_a_star(athena: Athena) -> None:
    one, two = f"s3://{BUCKET}/days/day=2013-03-01/a.json", f"s3://{BUCKET}/days/day=2013-03-02/b.json"
    assert athena.rows('SELECT n, "$path", "$partition" FROM meta.days ORDER BY n') == [
        ["1", one, "day=2013-03-01"],
        ["2", two, "day=2013-03-02"],
        ["3", two, "day=2013-03-02"],
    ]
    size = athena.rows('SELECT DISTINCT "$file_size" FROM meta.days WHERE n = 1')
    assert size == [[str(athena.sizes["one"])]]
    assert athena.results("SELECT * FROM meta.days d WHERE d.\"$path\" LIKE '%a.json'")[0] == ["n", "l", "day"]
    new = "from_iso8601_timestamp('2000-01-01T00:00:00Z')"
    assert athena.rows(f'SELECT count(*) FROM meta.days WHERE "$file_modified_time" > {new}') == [["3"]]
    assert '"$bucket"' in athena.failure('SELECT "$bucket" FROM meta.days')


def test_partitions_are_rows_of_a_table(athena: Athena) -> None:
    assert athena.rows('SELECT * FROM meta."days$partitions" ORDER BY day DESC') == [["2013-03-02"], ["2013-03-01"]]
    assert athena.rows('SELECT max(day) FROM "meta"."days$partitions"') == [["2013-03-02"]]


def test_information_schema_describes_the_catalog(athena: Athena) -> None:
    where = "WHERE table_schema = 'meta' ORDER BY table_name"
    assert athena.rows(f"SELECT table_catalog, table_name, table_type FROM information_schema.tables {where}") == [
        ["awsdatacatalog", "days", "BASE TABLE"],
        ["awsdatacatalog", "later", "VIEW"],
    ]
    assert athena.rows(
        """SELECT column_name, ordinal_position, data_type, is_nullable, comment, extra_info
        FROM information_schema.columns WHERE table_name = 'days' ORDER BY ordinal_position"""
    ) == [
        ["n", "1", "integer", "YES", "a number", None],
        ["l", "2", "array(row(x integer, y varchar))", "YES", None, None],
        ["day", "3", "date", "YES", None, "partition key"],
    ]
    assert ["meta"] in athena.rows("SELECT schema_name FROM information_schema.schemata")
    assert athena.rows(f"SELECT view_definition FROM information_schema.views {where}") == [
        ["SELECT n FROM meta.days WHERE n > 1"]
    ]
    assert "TABLE_NOT_FOUND" in athena.failure("SELECT * FROM information_schema.roles")


@pytest.mark.parametrize(
    ("tail", "rows"),
    [
        ("OFFSET 1", ["2", "3"]),
        ("OFFSET 1 ROWS FETCH FIRST 1 ROW ONLY", ["2"]),
        ("OFFSET 1 ROW FETCH NEXT 5 ROWS ONLY", ["2", "3"]),
        ("FETCH FIRST ROW ONLY", ["1"]),
        ("OFFSET 2 LIMIT 1", ["3"]),
        ("OFFSET 1 LIMIT ALL", ["2", "3"]),
    ],
)
def test_offset_and_fetch(athena: Athena, tail: str, rows: list[str]) -> None:
    assert athena.rows(f"SELECT n FROM meta.days ORDER BY n {tail}") == [[row] for row in rows]


def test_rows_in_arrays_are_unnested_to_columns(athena: Athena) -> None:
    sql = "SELECT d.n, u.x, u.y FROM meta.days d CROSS JOIN UNNEST(d.l) AS u(x, y) ORDER BY 2"
    assert athena.rows(sql) == [["1", "1", "p"], ["1", "2", "q"]]
    assert athena.rows("SELECT l[2].y, l FROM meta.days WHERE n = 1") == [["q", "[{x=1, y=p}, {x=2, y=q}]"]]
    assert athena.rows("TABLE meta.later")[0] == ["2"]


def test_explain_validates_shows_a_plan_or_is_refused(athena: Athena) -> None:
    assert athena.results("EXPLAIN (TYPE VALIDATE) SELECT n FROM meta.days") == [["Valid"], ["true"]]
    assert "cannot be resolved" in athena.failure("EXPLAIN (TYPE VALIDATE) SELECT nothing FROM meta.days")
    done = athena.ok("EXPLAIN SELECT count(*) FROM meta.days GROUP BY day")
    plan = athena.api.get_query_results(QueryExecutionId=done["QueryExecutionId"])["ResultSet"]["Rows"]
    assert plan[0]["Data"][0]["VarCharValue"] == "Query Plan" and "DuckDB" in plan[1]["Data"][0]["VarCharValue"]
    assert done["Statistics"]["DataScannedInBytes"] == 0
    assert "EXPLAIN ANALYZE" in athena.failure("EXPLAIN ANALYZE SELECT 1")
    assert "FORMAT JSON" in athena.failure("EXPLAIN (FORMAT JSON) SELECT 1")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "SELECT nothing FROM meta.days",
            "COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot be resolved or requester is not",
        ),
        ("SELECT n FROM meta.days\nWHERE d.x = 1", "line 2:7: Column 'd.x' cannot be resolved"),
        (
            "SELECT * FROM meta.nothing",
            "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.meta.nothing' does not exist",
        ),
        ("SELECT * FROM nowhere.days", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nowhere' does not exist"),
        ("SELECT * FROM other.meta.days", "CATALOG_NOT_FOUND: line 1:15: Catalog 'other' not found"),
    ],
)
def test_unknown_names_fail_with_their_place(athena: Athena, sql: str, reason: str) -> None:
    assert reason in athena.failure(sql)


def test_the_catalog_may_be_named(athena: Athena) -> None:
    assert athena.rows('SELECT count(*) FROM "AwsDataCatalog"."meta"."days"') == [["3"]]
