"""Athena through the Amazon provider's operator, hook and trigger, as the DAGs use it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.stack
BUCKET = "athena-provider-tests"
RESULTS = f"s3://{BUCKET}/results/"


@pytest.fixture
def bucket(aws_environment: Any) -> Any:
    aws_environment.client("s3").create_bucket(Bucket=BUCKET)
    return aws_environment


def operator(sql: str, **more: Any) -> Any:
    from airflow.providers.amazon.aws.operators.athena import AthenaOperator

    arguments = {"aws_conn_id": None, "region_name": "us-east-1", "sleep_time": 1, "output_location": RESULTS, **more}
    return AthenaOperator(task_id="query", query=sql, database="default", **arguments)


def test_the_operator_unloads_to_s3(bucket: Any) -> None:
    query_id = operator(
        f"""UNLOAD (SELECT 1 AS a, 'train' AS split) TO 's3://{BUCKET}/set/'
        WITH (format='PARQUET', partitioned_by=ARRAY['split'])"""
    ).execute({})
    keys = [item["Key"] for item in bucket.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="set/")["Contents"]]
    assert len(keys) == 1 and keys[0].startswith("set/split=train/")
    from airflow.providers.amazon.aws.hooks.athena import AthenaHook

    hook = AthenaHook(aws_conn_id=None, region_name="us-east-1")
    assert hook.check_query_status(query_id) == "SUCCEEDED"
    assert hook.get_output_location(query_id).startswith(RESULTS)


def test_the_operator_shows_why_a_query_failed(bucket: Any) -> None:
    with pytest.raises(Exception, match="TABLE_NOT_FOUND"):
        operator("SELECT * FROM nowhere").execute({})


def test_the_trigger_fires_when_the_query_has_ended(bucket: Any) -> None:
    from airflow.providers.amazon.aws.triggers.athena import AthenaTrigger

    api = bucket.client("athena")
    query_id = api.start_query_execution(QueryString="SELECT 1", ResultConfiguration={"OutputLocation": RESULTS})[
        "QueryExecutionId"
    ]
    trigger = AthenaTrigger(
        query_execution_id=query_id, waiter_delay=1, waiter_max_attempts=60, aws_conn_id=None, region_name="us-east-1"
    )

    async def first() -> Any:
        return await anext(aiter(trigger.run()))

    event = asyncio.run(first())
    assert event.payload["status"] == "success" and event.payload["value"] == query_id
