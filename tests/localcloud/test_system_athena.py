"""The provider's Athena operator and sensor: a database and a table in quoted DDL, a query, and its result file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import allow
from tests.support.system_runs import SystemRun

pytestmark = pytest.mark.stack
BUCKET, DATABASE = "system-athena", "system_athena"
RESULTS = f"s3://{BUCKET}/results/"
ROWS = '"Ann, M.",20\nBob,25\n"Cleo",30\n'
# Athena's DDL is Hive's, where texts are in double or in single quotes, and names in backticks.
TABLE = f"""CREATE EXTERNAL TABLE IF NOT EXISTS {DATABASE}.people (`name` string COMMENT "the first", `age` int)
ROW FORMAT SERDE "org.apache.hadoop.hive.serde2.OpenCSVSerde"
WITH SERDEPROPERTIES ("separatorChar" = ",", 'quoteChar' = '"')
LOCATION "s3://{BUCKET}/people"
TBLPROPERTIES ("has_encrypted_data"="false", 'owner'='ml')"""
PLAIN = f"""CREATE EXTERNAL TABLE {DATABASE}.plain (`name` string, `age` int)
PARTITIONED BY (`day` string)
ROW FORMAT SERDE "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
WITH SERDEPROPERTIES ("serialization.format" = ",", "field.delim" = ",")
LOCATION "s3://{BUCKET}/plain/" """


@pytest.fixture
def run(cloud: Cloud, system_run: Callable[..., SystemRun]) -> SystemRun:
    s3, glue = cloud.client("s3"), f"arn:aws:glue:us-east-1:{ACCOUNT}"
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="people/rows.csv", Body=ROWS)
    s3.put_object(Bucket=BUCKET, Key="plain/day=2013-03-01/rows.csv", Body='"Dan",40\n')
    kinds = ("catalog", *(f"{kind}/{DATABASE}" for kind in ("database", "table", "userDefinedFunction")))
    return system_run(
        allow("athena:*QueryExecution", f"arn:aws:athena:us-east-1:{ACCOUNT}:workgroup/primary"),
        allow("glue:*", [f"{glue}:{kind}{end}" for kind in kinds for end in ("", "/*")]),
        allow("s3:*", [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]),
    )


def query(run: SystemRun, sql: str, **more: Any) -> str:
    """Runs a statement; returns the id of its execution."""
    from airflow.providers.amazon.aws.operators.athena import AthenaOperator

    return str(run.execute(AthenaOperator, query=sql, database=DATABASE, output_location=RESULTS, sleep_time=1, **more))


def result(cloud: Cloud, query_id: str) -> str:
    return str(cloud.client("s3").get_object(Bucket=BUCKET, Key=f"results/{query_id}.csv")["Body"].read().decode())


def test_a_table_in_quoted_ddl_is_read_and_dropped(cloud: Cloud, run: SystemRun) -> None:
    from airflow.providers.amazon.aws.sensors.athena import AthenaSensor

    query(run, f'CREATE DATABASE IF NOT EXISTS {DATABASE} COMMENT "of a test"')
    query(run, TABLE)
    found = cloud.client("glue").get_table(DatabaseName=DATABASE, Name="people")["Table"]
    assert found["StorageDescriptor"]["SerdeInfo"]["Parameters"] == {"separatorChar": ",", "quoteChar": '"'}
    assert found["StorageDescriptor"]["Columns"][0] == {"Name": "name", "Type": "string", "Comment": "the first"}
    assert found["Parameters"]["owner"] == "ml"

    read = query(run, f'SELECT name, age FROM {DATABASE}."people" WHERE age > 20 ORDER BY age', deferrable=True)
    run.execute(AthenaSensor, query_execution_id=read, timeout=20)
    assert result(cloud, read) == '"name","age"\n"Bob","25"\n"Cleo","30"\n'
    read = query(run, f"SELECT name FROM {DATABASE}.people ORDER BY age LIMIT 1")
    assert result(cloud, read) == '"name"\n"Ann, M."\n'

    query(run, PLAIN)
    query(run, f'ALTER TABLE {DATABASE}.plain ADD PARTITION (day = "2013-03-01")')
    read = query(run, f"SELECT name, age, day FROM {DATABASE}.plain")
    assert result(cloud, read) == '"name","age","day"\n"""Dan""","40","2013-03-01"\n'

    for statement in ("DROP TABLE IF EXISTS {}.people", "DROP TABLE {}.plain", "DROP DATABASE IF EXISTS {}"):
        query(run, statement.format(DATABASE))
    assert DATABASE not in [entry["Name"] for entry in cloud.client("glue").get_databases()["DatabaseList"]]


def test_a_query_reads_with_the_keys_of_its_caller(cloud: Cloud, run: SystemRun) -> None:
    cloud.client("s3").create_bucket(Bucket="system-athena-other")
    cloud.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    query(run, TABLE.replace(f"{BUCKET}/people", "system-athena-other/people"))
    with pytest.raises(Exception, match=r"not authorized to perform: s3:ListBucket"):
        query(run, f"SELECT * FROM {DATABASE}.people")
    for statement in ("SHOW TABLES IN another", "DROP DATABASE IF EXISTS another", "SELECT * FROM another.people"):
        with pytest.raises(Exception, match=r"not authorized to perform: glue:Get(Database|Table)\b"):
            query(run, statement)
    cloud.client("glue").delete_database(Name=DATABASE)
