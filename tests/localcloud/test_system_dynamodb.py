"""The provider's DynamoDB hook and sensor, and its transfer from DynamoDB to S3."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import allow
from tests.support.system_runs import SystemRun

pytestmark = pytest.mark.stack
TABLE, BUCKET = "system-dynamodb", "system-dynamodb"
ARN = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{TABLE}"
KEY = {"PK": "flights", "SK": "2013-03-01"}


def written(hook: Any) -> None:
    """The table with two items."""
    hook.conn.create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in KEY],
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    hook.conn.meta.client.get_waiter("table_exists").wait(TableName=TABLE)
    hook.write_batch_data([{**KEY, "Value": "ready"}, {**KEY, "SK": "2013-03-02", "Value": "late"}])


def test_the_sensor_sees_an_item_and_the_table_goes_to_s3(cloud: Cloud, system_run: Callable[..., SystemRun]) -> None:
    from airflow.providers.amazon.aws.hooks.dynamodb import DynamoDBHook
    from airflow.providers.amazon.aws.sensors.dynamodb import DynamoDBValueSensor
    from airflow.providers.amazon.aws.transfers.dynamodb_to_s3 import DynamoDBToS3Operator

    cloud.client("s3").create_bucket(Bucket=BUCKET)
    run = system_run(allow("dynamodb:*", ARN), allow("s3:PutObject", f"arn:aws:s3:::{BUCKET}/*"))
    hook: Any = DynamoDBHook(aws_conn_id=None, table_name=TABLE, table_keys=list(KEY))
    written(hook)
    item = {
        "table_name": TABLE, "partition_key_name": "PK", "partition_key_value": KEY["PK"],
        "sort_key_name": "SK", "sort_key_value": KEY["SK"], "attribute_name": "Value",
    }  # fmt: skip
    for value in ("ready", ["ready", "done"]):
        for deferrable in (False, True):
            run.execute(DynamoDBValueSensor, attribute_value=value, deferrable=deferrable, timeout=10, **item)
    with pytest.raises(Exception, match=r"timeout|timed out"):
        run.execute(DynamoDBValueSensor, attribute_value="never", timeout=0.5, **item)

    run.execute(
        DynamoDBToS3Operator,
        dynamodb_table_name=TABLE, s3_bucket_name=BUCKET, s3_key_prefix="t/", file_size=1_000_000,
        source_aws_conn_id=None, dest_aws_conn_id=None,
    )  # fmt: skip
    s3 = cloud.client("s3")
    [entry] = s3.list_objects_v2(Bucket=BUCKET, Prefix="t/")["Contents"]
    lines = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read().decode().splitlines()
    assert sorted((row["SK"], row["Value"]) for row in map(json.loads, lines)) == [
        ("2013-03-01", "ready"),
        ("2013-03-02", "late"),
    ]
    hook.conn.Table(TABLE).delete()
    hook.conn.meta.client.get_waiter("table_not_exists").wait(TableName=TABLE)
