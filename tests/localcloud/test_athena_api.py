"""Athena over boto3: tables, partitions, UNLOAD, tokens, stops and failures; their effects in S3 and the catalog."""

from __future__ import annotations

import uuid
from datetime import datetime

import pytest
from botocore.exceptions import ClientError

from tests.support.athena import Athena
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack
BUCKET = "athena-tests"


@pytest.fixture(scope="module")
def athena(cloud: Cloud) -> Athena:
    """A lake with one table. Its two partitions have different staging prefixes, and the older one lacks a column."""
    found = Athena(cloud, BUCKET)
    found.ok(
        f"""CREATE EXTERNAL TABLE lake.landed (`key` string, known_at timestamp, delay double, note string)
        PARTITIONED BY (event_date date) STORED AS PARQUET LOCATION 's3://{BUCKET}/landed/'"""
    )
    # Athena's timestamp has no zone.
    at = [datetime.fromisoformat(text) for text in ("2013-03-01T10:00:00.123456", "2013-03-01T11:00:00")]
    old_bytes = found.put_parquet(
        "staging/a/landed/event_date=2013-03-01/0.parquet", key=["x", "y"], known_at=at, delay=[1.5, None]
    )
    at = [datetime.fromisoformat("2013-03-02T10:00:00")]
    new_bytes = found.put_parquet(
        "staging/b/landed/event_date=2013-03-02/0.parquet",
        key=["x"],
        known_at=at,
        delay=[float("nan")],
        note=["n"],
    )
    found.ok(
        f"""ALTER TABLE landed ADD PARTITION (event_date = '2013-03-01') LOCATION 's3://{BUCKET}/staging/a/landed/event_date=2013-03-01/'
        PARTITION (event_date = '2013-03-02') LOCATION 's3://{BUCKET}/staging/b/landed/event_date=2013-03-02/'"""
    )
    found.sizes = {"old": old_bytes, "new": new_bytes}
    return found


def test_partitions_are_read_at_their_locations_with_typed_keys_and_nulls_for_missing_columns(athena: Athena) -> None:
    rows = athena.rows('SELECT "key", known_at, delay, note, event_date FROM landed ORDER BY event_date, "key"')
    assert rows == [
        ["x", "2013-03-01 10:00:00.123", "1.5", None, "2013-03-01"],
        ["y", "2013-03-01 11:00:00.000", None, None, "2013-03-01"],
        ["x", "2013-03-02 10:00:00.000", "NaN", "n", "2013-03-02"],
    ]


def test_only_the_partitions_that_pass_the_condition_are_downloaded(athena: Athena) -> None:
    one = athena.ok("SELECT count(*) FROM landed WHERE event_date >= date '2013-03-02' AND note = 'n'")
    assert one["Statistics"]["DataScannedInBytes"] == athena.sizes["new"]
    both = athena.ok("SELECT count(*) FROM landed")
    assert both["Statistics"]["DataScannedInBytes"] == athena.sizes["old"] + athena.sizes["new"]


def test_nan_is_not_greater_than_a_number(athena: Athena) -> None:
    assert athena.rows("SELECT count(*) FROM landed WHERE delay > 1") == [["1"]]


def test_requests_are_made_with_the_callers_identity(athena: Athena, cloud: Cloud) -> None:
    role = "arn:aws:iam::123456789012:role/athena-reader"
    keys = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="reader")["Credentials"]
    before = len(cloud.requests())
    api = cloud.client(
        "athena",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    started = api.start_query_execution(
        QueryString="SELECT * FROM lake.landed", ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/results/"}
    )
    assert athena.end(started["QueryExecutionId"])["Status"]["State"] == "SUCCEEDED"
    requests = {(line["service"], line["action"]) for line in cloud.requests()[before:] if line["role"] == role}
    assert {("glue", "GetTable"), ("glue", "GetPartitions"), ("s3", "GetObject"), ("s3", "PutObject")} <= requests


def test_results_are_typed_paged_and_left_in_s3(athena: Athena) -> None:
    done = athena.ok(
        """SELECT x AS n, 'a "b"' AS t, CAST(NULL AS varchar) AS nothing, 1.50 AS d
        FROM UNNEST(sequence(1, 3)) AS s(x) ORDER BY x"""
    )
    location = done["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{BUCKET}/results/{done['QueryExecutionId']}.csv"
    body = athena.s3.get_object(Bucket=BUCKET, Key=location.removeprefix(f"s3://{BUCKET}/"))["Body"].read().decode()
    assert body.splitlines()[:2] == ['"n","t","nothing","d"', '"1","a ""b""",,"1.50"']
    pages = athena.api.get_paginator("get_query_results").paginate(
        QueryExecutionId=done["QueryExecutionId"], PaginationConfig={"PageSize": 2}
    )
    pages = list(pages)
    assert [len(page["ResultSet"]["Rows"]) for page in pages] == [2, 2]
    assert pages[0]["ResultSet"]["Rows"][0]["Data"][0] == {"VarCharValue": "n"}
    assert pages[0]["ResultSet"]["Rows"][1]["Data"][2] == {}
    info = pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(c["Name"], c["Type"]) for c in info] == [
        ("n", "bigint"),
        ("t", "varchar"),
        ("nothing", "varchar"),
        ("d", "decimal"),
    ]
    assert done["StatementType"] == "DML"


def test_unload_writes_partitions_and_a_manifest_and_needs_an_empty_location(athena: Athena) -> None:
    sql = f"""UNLOAD (SELECT "key", known_at, IF(event_date = date '2013-03-01', 'train', 'test') AS split FROM landed)
        TO 's3://{BUCKET}/datasets/one' WITH (format='PARQUET', compression='SNAPPY', partitioned_by=ARRAY['split'])"""
    done = athena.ok(sql)
    keys = athena.keys("datasets/one/")
    assert sorted({key.split("/")[2] for key in keys}) == ["split=test", "split=train"]
    train = athena.parquet(next(key for key in keys if "split=train" in key))
    assert train.column_names == ["key", "known_at"] and sorted(train["key"].to_pylist()) == ["x", "y"]
    manifest = done["Statistics"]["DataManifestLocation"].removeprefix(f"s3://{BUCKET}/")
    listed = athena.s3.get_object(Bucket=BUCKET, Key=manifest)["Body"].read().decode().split()
    assert sorted(listed) == sorted(f"s3://{BUCKET}/{key}" for key in keys)
    assert "HIVE_PATH_ALREADY_EXISTS" in athena.failure(sql)
    assert athena.keys("datasets/one/") == keys


def test_unload_of_partition_columns_that_are_not_last_fails(athena: Athena) -> None:
    reason = athena.failure(
        f"""UNLOAD (SELECT 'a' AS split, "key" FROM landed) TO 's3://{BUCKET}/datasets/two/'
        WITH (format='PARQUET', partitioned_by=ARRAY['split'])"""
    )
    assert "HIVE_COLUMN_ORDER_MISMATCH" in reason and athena.keys("datasets/two/") == []


def test_unload_in_a_format_that_is_not_written_is_refused(athena: Athena) -> None:
    assert "ORC" in athena.failure(f"UNLOAD (SELECT 1 AS a) TO 's3://{BUCKET}/datasets/orc/' WITH (format='ORC')")


def test_create_table_as_registers_table_and_partitions_and_insert_adds_to_it(athena: Athena) -> None:
    athena.ok(
        f"""CREATE TABLE lake.summary WITH (format='PARQUET', external_location='s3://{BUCKET}/summary/',
        partitioned_by=ARRAY['day'])
        AS SELECT count(*) AS n, sum(delay) AS delay, CAST(event_date AS varchar) AS day
        FROM landed WHERE delay IS NULL OR delay < 9 GROUP BY event_date"""
    )
    table = athena.glue.get_table(DatabaseName="lake", Name="summary")["Table"]
    assert [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]] == [
        ("n", "bigint"),
        ("delay", "double"),
    ]
    assert athena.rows("SELECT * FROM summary") == [["2", "1.5", "2013-03-01"]]
    athena.ok("INSERT INTO summary SELECT count(*), 2e0, '2013-03-09' FROM landed")
    assert athena.rows("SELECT day, n FROM summary ORDER BY day") == [["2013-03-01", "2"], ["2013-03-09", "3"]]
    partitions = athena.glue.get_partitions(DatabaseName="lake", TableName="summary")["Partitions"]
    assert {p["Values"][0] for p in partitions} == {"2013-03-01", "2013-03-09"}


def test_views_json_and_csv_tables(athena: Athena) -> None:
    athena.s3.put_object(
        Bucket=BUCKET, Key="j/1.json", Body=b'{"a": 1, "b": "x", "t": "2013-03-01 10:00:00"}\n{"a": null, "b": "y"}\n'
    )
    athena.ok(
        f"""CREATE EXTERNAL TABLE j (a int, b string, t timestamp) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
        LOCATION 's3://{BUCKET}/j/'"""
    )
    assert athena.rows("SELECT * FROM j ORDER BY b") == [["1", "x", "2013-03-01 10:00:00.000"], [None, "y", None]]
    athena.s3.put_object(Bucket=BUCKET, Key="c/1.csv", Body=b'name,n\n"a, b",1\nc,2\n')
    athena.ok(
        f"""CREATE EXTERNAL TABLE c (name string, n int) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
        WITH SERDEPROPERTIES ('separatorChar' = ',', 'quoteChar' = '"') LOCATION 's3://{BUCKET}/c/'
        TBLPROPERTIES ('skip.header.line.count'='1')"""
    )
    assert athena.rows("SELECT * FROM c ORDER BY n") == [["a, b", "1"], ["c", "2"]]
    athena.s3.put_object(Bucket=BUCKET, Key="l/1.txt", Body=b"a\t1\n\\N\tx\n")
    athena.ok(
        f"""CREATE EXTERNAL TABLE l (name string, n int) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'
        LOCATION 's3://{BUCKET}/l/'"""
    )
    assert athena.rows("SELECT * FROM l ORDER BY name") == [["a", "1"], [None, None]]
    athena.ok("CREATE OR REPLACE VIEW both AS SELECT j.b, c.n FROM j JOIN c ON j.a = c.n")
    assert athena.rows("SELECT * FROM both") == [["x", "1"]]


def test_an_empty_table_has_no_rows_but_types(athena: Athena) -> None:
    athena.ok(f"CREATE EXTERNAL TABLE void (a bigint, t timestamp) STORED AS PARQUET LOCATION 's3://{BUCKET}/void/'")
    done = athena.ok("SELECT a, t FROM void")
    answer = athena.api.get_query_results(QueryExecutionId=done["QueryExecutionId"])["ResultSet"]
    assert len(answer["Rows"]) == 1
    assert [c["Type"] for c in answer["ResultSetMetadata"]["ColumnInfo"]] == ["bigint", "timestamp"]


def test_show_describe_msck_and_drop(athena: Athena) -> None:
    def lines(sql: str) -> list[str]:
        answer = athena.api.get_query_results(QueryExecutionId=athena.ok(sql)["QueryExecutionId"])
        return [row["Data"][0].get("VarCharValue", "").strip() for row in answer["ResultSet"]["Rows"]]

    athena.put_parquet("loose/day=2013-03-05/0", n=[1])
    athena.ok(
        f"CREATE EXTERNAL TABLE loose (n bigint) PARTITIONED BY (day string) STORED AS PARQUET LOCATION 's3://{BUCKET}/loose/'"
    )
    assert lines("SHOW PARTITIONS loose") == []
    athena.ok("MSCK REPAIR TABLE loose")
    assert lines("SHOW PARTITIONS loose") == ["day=2013-03-05"]
    assert athena.rows("SELECT n, day FROM loose") == [["1", "2013-03-05"]]
    assert "loose" in lines("SHOW TABLES IN lake") and "lake" in lines("SHOW DATABASES")
    assert lines("SHOW COLUMNS IN loose") == ["n", "day"]
    assert lines("DESCRIBE loose")[:2] == ["n", "day"]
    assert lines("SHOW CREATE TABLE loose")[0] == "CREATE EXTERNAL TABLE `lake.loose`("
    athena.ok("ALTER TABLE loose DROP PARTITION (day = '2013-03-05')")
    assert athena.rows("SELECT n FROM loose") == []
    athena.ok("DROP TABLE loose")
    assert "TABLE_NOT_FOUND" in athena.failure("SELECT * FROM loose")


def test_prepared_statements_and_parameters(athena: Athena) -> None:
    athena.ok('PREPARE by_key FROM SELECT count(*) FROM landed WHERE "key" = ?')
    assert athena.rows("EXECUTE by_key USING 'x'") == [["2"]]
    athena.ok("DEALLOCATE PREPARE by_key")
    assert "by_key" in athena.failure("EXECUTE by_key USING 'x'")
    assert athena.rows('SELECT count(*) FROM landed WHERE "key" = ?', ExecutionParameters=["y"]) == [["1"]]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELEC 1", "SYNTAX_ERROR"),
        ("SELECT nothing FROM landed", "nothing"),
        ("SELECT * FROM landed WHERE event_date = '2013-03-01'", "TYPE_MISMATCH"),
        ("SELECT checksum(delay) FROM landed", "checksum"),
        ("SELECT 1/0", "DIVISION_BY_ZERO"),
        ("SELECT CAST('x' AS integer)", "INVALID_CAST_ARGUMENT"),
        ("SELECT 1; SELECT 2", "Only one sql statement"),
        ("DELETE FROM landed", "only supported for transactional tables"),
        ("SELECT * FROM read_csv('/etc/passwd')", "read_csv"),
    ],
)
def test_wrong_sql_fails_with_its_reason(athena: Athena, sql: str, reason: str) -> None:
    assert reason.lower() in athena.failure(sql).lower()


def test_a_token_starts_a_query_once(athena: Athena) -> None:
    token = uuid.uuid4().hex
    first = athena.start("SELECT 1", ClientRequestToken=token)
    assert athena.start("SELECT 1", ClientRequestToken=token) == first
    with pytest.raises(ClientError, match="InvalidRequestException"):
        athena.start("SELECT 2", ClientRequestToken=token)
    assert athena.start("SELECT 1", ClientRequestToken=uuid.uuid4().hex) != first


def test_a_stop_interrupts_a_running_query(athena: Athena) -> None:
    endless = """SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 10000)) AS b(y)
        CROSS JOIN UNNEST(sequence(1, 10000)) AS c(z) CROSS JOIN UNNEST(sequence(1, 10000)) AS d(w)
        WHERE a.x + b.y + c.z + d.w = 7"""
    query_id = athena.start(endless)
    athena.cloud.wait_until(
        lambda: (
            athena.api.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]["State"] == "RUNNING"
        )
    )
    athena.api.stop_query_execution(QueryExecutionId=query_id)
    status = athena.end(query_id)["Status"]
    assert status["State"] == "CANCELLED" and "cancelled" in status["StateChangeReason"]
    assert athena.keys(f"results/{query_id}") == []
    # Its slot is free again: more queries than slots succeed.
    assert [athena.rows("SELECT 1") for _ in range(3)] == [[["1"]]] * 3


def test_batch_list_and_unknown_queries(athena: Athena) -> None:
    query_id = athena.ok("SELECT 1")["QueryExecutionId"]
    answer = athena.api.batch_get_query_execution(QueryExecutionIds=[query_id, "nothing"])
    assert [one["QueryExecutionId"] for one in answer["QueryExecutions"]] == [query_id]
    assert [one["QueryExecutionId"] for one in answer["UnprocessedQueryExecutionIds"]] == ["nothing"]
    assert athena.api.list_query_executions(MaxResults=1)["QueryExecutionIds"] == [query_id]
    with pytest.raises(ClientError, match="InvalidRequestException"):
        athena.api.get_query_execution(QueryExecutionId="nothing")
    with pytest.raises(ClientError, match="did not finish"):
        athena.api.get_query_results(QueryExecutionId=athena.run("SELECT 1/0")["QueryExecutionId"])


def test_the_work_group_sets_the_location_of_results(athena: Athena) -> None:
    with pytest.raises(ClientError, match="No output location"):
        athena.api.start_query_execution(QueryString="SELECT 1")
    athena.api.create_work_group(
        Name="tests",
        Configuration={
            "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/group/"},
            "EnforceWorkGroupConfiguration": True,
        },
    )
    done = athena.ok("SELECT 1", WorkGroup="tests")
    assert done["ResultConfiguration"]["OutputLocation"] == f"s3://{BUCKET}/group/{done['QueryExecutionId']}.csv"
    assert athena.keys("group/") == [f"group/{done['QueryExecutionId']}.csv"]


def test_a_digest_of_rows_does_not_depend_on_their_order(athena: Athena) -> None:
    digest = """SELECT count(*), sum(CAST(from_base(substr(to_hex(sha256(to_utf8(concat_ws('|', coalesce("key", ''),
        coalesce(CAST(known_at AS varchar), ''), coalesce(CAST(delay AS varchar), ''))))), 1, 12), 16)
        AS decimal(38,0)))
        FROM (SELECT * FROM landed ORDER BY known_at {0})"""
    first = athena.rows(digest.format("ASC"))
    assert first == athena.rows(digest.format("DESC")) and first[0][0] == "3"


def test_the_latest_row_of_each_key(athena: Athena) -> None:
    rows = athena.rows(
        """SELECT "key", known_at FROM (
        SELECT "key", known_at, row_number() OVER (PARTITION BY "key" ORDER BY known_at DESC) AS n
        FROM landed WHERE known_at < timestamp '2013-03-02 00:00:00') WHERE n = 1 ORDER BY 1"""
    )
    assert rows == [["x", "2013-03-01 10:00:00.123"], ["y", "2013-03-01 11:00:00.000"]]


def test_functions_in_python_run_in_the_servers_own_environment(athena: Athena) -> None:
    sql = """SELECT json_extract_scalar('{"a": 1.50}', '$.a'), regexp_like('ab', '(?<=a)b'), format('%03d', 8)"""
    assert athena.rows(sql) == [["1.50", "true", "008"]]
    reason = athena.run("SELECT lpad('a', -1, 'x')")["Status"]["StateChangeReason"]
    assert reason == "INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]"
