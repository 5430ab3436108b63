"""UNLOAD, CREATE TABLE AS and INSERT: formats, columns, partitions and limits."""

from __future__ import annotations

import gzip

import pytest

from tests.support.athena import Athena
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack
BUCKET = "athena-writing"
EVERYTHING = """SELECT CAST(1 AS integer) AS i, CAST(2.5 AS double) AS d, 'a,"b' AS s, true AS b,
    CAST('1.20' AS decimal(5,2)) AS n,
    date '2013-03-01' AS day, timestamp '2013-03-01 10:00:00.500' AS t, CAST(NULL AS varchar) AS nothing"""


@pytest.fixture(scope="module")
def athena(cloud: Cloud) -> Athena:
    found = Athena(cloud, BUCKET)
    found.ok(f"""CREATE TABLE source WITH (external_location='s3://{BUCKET}/source/') AS
        SELECT x AS n, CAST(x % 3 AS varchar) AS part FROM UNNEST(sequence(1, 9)) AS s(x)""")
    return found


@pytest.mark.parametrize("compression", ["GZIP", "NONE", "ZSTD"])
@pytest.mark.parametrize("form", ["JSON", "TEXTFILE", "PARQUET"])
def test_a_written_table_is_read_back(athena: Athena, form: str, compression: str) -> None:
    name = f"back_{form}_{compression}".lower()
    athena.ok(f"CREATE TABLE {name} WITH (format='{form}', write_compression='{compression}') AS {EVERYTHING}")
    assert athena.rows(f"SELECT * FROM {name}") == [
        ["1", "2.5", 'a,"b', "true", "1.20", "2013-03-01", "2013-03-01 10:00:00.500", None]
    ]


def test_unload_writes_json_lines(athena: Athena) -> None:
    athena.ok(f"""UNLOAD (SELECT n, ARRAY[n, NULL] AS l, MAP(ARRAY['k'], ARRAY[1.5e0]) AS m FROM source WHERE n = 1)
        TO 's3://{BUCKET}/json/' WITH (format='JSON')""")
    (key,) = athena.keys("json/")
    assert key.endswith(".gz")
    assert gzip.decompress(athena.body(key)) == b'{"n":1,"l":[1,null],"m":{"k":1.5}}\n'


def test_unload_writes_text_with_a_delimiter_and_partitions(athena: Athena) -> None:
    athena.ok(f"""UNLOAD (SELECT n, n AS m, part FROM source WHERE n > 6) TO 's3://{BUCKET}/text/'
        WITH (format='TEXTFILE', field_delimiter=',', compression='NONE', partitioned_by=ARRAY['part'])""")
    assert {key.split("/")[1]: athena.body(key) for key in athena.keys("text/")} == {
        "part=0": b"9,9\n",
        "part=1": b"7,7\n",
        "part=2": b"8,8\n",
    }


def test_insert_fills_listed_columns_and_leaves_the_others_null(athena: Athena) -> None:
    athena.table("target", "a bigint, b string, c double", "STORED AS PARQUET", "day date")
    athena.ok("INSERT INTO target (day, a) VALUES (date '2013-03-01', 1)")
    athena.ok("INSERT INTO target SELECT CAST(2 AS integer), 'x', CAST(1 AS real), date '2013-03-02'")
    athena.ok("INSERT INTO lake.target (b, c, day) SELECT 'y', 2e0, date '2013-03-02'")
    assert athena.rows("SELECT * FROM target ORDER BY day, b") == [
        ["1", None, None, "2013-03-01"],
        ["2", "x", "1.0", "2013-03-02"],
        [None, "y", "2.0", "2013-03-02"],
    ]
    assert athena.lines("SHOW PARTITIONS target") == ["day=2013-03-01", "day=2013-03-02"]


@pytest.mark.parametrize(
    "form",
    ["ROW FORMAT DELIMITED FIELDS TERMINATED BY ','", "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'"],
)
def test_insert_writes_the_format_of_the_table(athena: Athena, form: str) -> None:
    name = "inserted_json" if "Json" in form else "inserted_text"
    athena.table(name, "a int, b string", form)
    athena.ok(f"INSERT INTO {name} VALUES (1, 'x'), (2, NULL)")
    assert athena.rows(f"SELECT * FROM {name} ORDER BY a") == [["1", "x"], ["2", None]]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "INSERT INTO target (nothing) SELECT 1",
            "COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist in target table: nothing",
        ),
        (
            "INSERT INTO target (a, a) SELECT 1, 2",
            "DUPLICATE_COLUMN_NAME: line 1:1: Insert column name is specified more than once: a",
        ),
        (
            "INSERT INTO target (a) SELECT 'x'",
            "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [bigint], Query: [varchar]",
        ),
        ("INSERT INTO target (a) SELECT 1.5e0", "Table: [bigint], Query: [double]"),
        ("INSERT INTO target (a, b) SELECT 1", "Table: [bigint, varchar], Query: [integer]"),
        ("INSERT INTO nothing SELECT 1", "TABLE_NOT_FOUND"),
        (
            "CREATE TABLE source AS SELECT 1 AS a",
            "TABLE_ALREADY_EXISTS: line 1:1: Table 'awsdatacatalog.lake.source' already exists",
        ),
        ("CREATE TABLE nowhere.t AS SELECT 1 AS a", "SCHEMA_NOT_FOUND: line 1:1: Schema 'nowhere' does not exist"),
        ("CREATE TABLE t AS SELECT 1", "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1"),
        (
            "CREATE TABLE t AS SELECT 1 AS a, 2 AS a",
            "DUPLICATE_COLUMN_NAME: line 1:1: Column name 'a' specified more than once",
        ),
        (
            "CREATE TABLE t WITH (partitioned_by=ARRAY['b']) AS SELECT 1 AS a",
            "Partition columns not present in schema: [b]",
        ),
        (
            "CREATE TABLE t WITH (bucketed_by=ARRAY['a'], bucket_count=2) AS SELECT 1 AS a",
            "bucketed_by and bucket_count",
        ),
        ("CREATE TABLE t WITH (table_type='ICEBERG') AS SELECT 1 AS a", "tables of type ICEBERG"),
        ("CREATE TABLE t WITH (format='ORC') AS SELECT 1 AS a", "CREATE_TABLE_AS_SELECT in the format ORC"),
        (
            "CREATE TABLE t WITH (format='PARQUET', write_compression='LZ4') AS SELECT 1 AS a",
            "Unsupported compression LZ4",
        ),
        (
            f"CREATE TABLE t WITH (external_location='s3://{BUCKET}/source/') AS SELECT 1 AS a",
            "HIVE_PATH_ALREADY_EXISTS",
        ),
        (f"UNLOAD (SELECT 1 AS a) TO 's3://{BUCKET}/u/'", "UNLOAD needs the property format"),
        (
            f"UNLOAD (SELECT 1 AS a) TO 's3://{BUCKET}/u/' WITH (format='PARQUET', field_delimiter=',')",
            "field_delimiter",
        ),
        (
            f"""UNLOAD (SELECT 1 AS a, x FROM UNNEST(sequence(1, 101)) AS s(x)) TO 's3://{BUCKET}/u/'
            WITH (format='PARQUET', partitioned_by=ARRAY['x'])""",
            "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers",
        ),
    ],
)
def test_statements_that_cannot_write_fail_and_write_nothing(athena: Athena, sql: str, reason: str) -> None:
    assert reason in athena.failure(sql)
    assert athena.keys("u/") == []


def test_a_work_group_with_an_enforced_location_forbids_another_one(athena: Athena) -> None:
    athena.api.create_work_group(
        Name="writers",
        Configuration={
            "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/group/"},
            "EnforceWorkGroupConfiguration": True,
        },
    )
    sql = f"CREATE TABLE enforced WITH (external_location='s3://{BUCKET}/own/') AS SELECT 1 AS a"
    assert "Please remove the 'external_location' property" in athena.failure(sql, WorkGroup="writers")
    athena.ok("CREATE TABLE enforced AS SELECT 1 AS a", WorkGroup="writers")
    table = athena.glue.get_table(DatabaseName="lake", Name="enforced")["Table"]
    assert table["StorageDescriptor"]["Location"].startswith(f"s3://{BUCKET}/group/tables/")


def test_a_table_without_data_is_only_created(athena: Athena) -> None:
    athena.ok("CREATE TABLE empty_copy AS SELECT * FROM source WITH NO DATA")
    assert athena.rows("SELECT * FROM empty_copy") == []
    athena.ok("CREATE TABLE IF NOT EXISTS empty_copy AS SELECT 1 AS a")
    assert athena.lines("SHOW COLUMNS IN empty_copy") == ["n", "part"]
