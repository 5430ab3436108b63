"""Storage and sources: buckets, streams, the state table, database secrets, the alerts topic."""

from __future__ import annotations

import json

from include.lake import layout
from include.workloads import Workload
from infra.laptop.aws import Aws
from infra.laptop.config import ACCOUNT, REGION
from infra.laptop.postgres import Postgres

SHARDS = 2
ALERTS_TOPIC = "nightjar-alerts"
ALERTS_TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:{ALERTS_TOPIC}"


def create_buckets(aws: Aws, names: tuple[str, ...]) -> None:
    """Creates versioned buckets that block public access."""
    present = {bucket["Name"] for bucket in aws.s3.list_buckets()["Buckets"]}
    for name in names:
        if name not in present:
            location = {} if REGION == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
            aws.s3.create_bucket(Bucket=name, **location)
        aws.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        aws.s3.put_public_access_block(
            Bucket=name,
            PublicAccessBlockConfiguration=dict.fromkeys(
                ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
            ),
        )


def create_shared(aws: Aws) -> None:
    """Creates the alerts topic; CreateTopic keeps an existing one."""
    aws.sns.create_topic(Name=ALERTS_TOPIC)


def create_state_table(aws: Aws, name: str) -> None:
    """Creates the table of checkpoints, watermarks, day states and live logs.

    It has point-in-time recovery, as on AWS; the local cloud only remembers the setting.
    """
    if name not in aws.dynamodb.list_tables()["TableNames"]:
        aws.dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **layout.STATE_TABLE_KEYS)
        aws.dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    aws.dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def create_prediction_log(aws: Aws, lake: str, workload: Workload, role_arn: str) -> None:
    """Creates the delivery stream that writes the service's predictions to the lake with this role."""
    name = layout.prediction_stream(workload.name)
    try:
        aws.firehose.describe_delivery_stream(DeliveryStreamName=name)
    except aws.firehose.exceptions.ResourceNotFoundException:
        destination = {
            "RoleARN": role_arn,
            "BucketARN": f"arn:aws:s3:::{lake}",
            "Prefix": layout.predictions_prefix(workload.name),
            "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 5},
        }
        aws.firehose.create_delivery_stream(
            DeliveryStreamName=name, DeliveryStreamType="DirectPut", ExtendedS3DestinationConfiguration=destination
        )


def create_sources(aws: Aws, workload: Workload, postgres: Postgres) -> None:
    """Creates the workload's stream and its database secret."""
    if workload.stream.name not in aws.kinesis.list_streams(Limit=100)["StreamNames"]:
        aws.kinesis.create_stream(StreamName=workload.stream.name, ShardCount=SHARDS)
        aws.kinesis.get_waiter("stream_exists").wait(
            StreamName=workload.stream.name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
    if workload.database is None:
        return
    secret = json.dumps(postgres.secret(workload.name))
    try:
        aws.secretsmanager.put_secret_value(SecretId=workload.database.secret, SecretString=secret)
    except aws.secretsmanager.exceptions.ResourceNotFoundException:
        aws.secretsmanager.create_secret(Name=workload.database.secret, SecretString=secret)
