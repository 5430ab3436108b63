"""Storage and sources: buckets, streams, the state table, database secrets, the alerts topic."""

from __future__ import annotations

import json

from include.workloads import Workload
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.definitions import NAMES, definition, loopback_policy
from infra.laptop.config import ACCOUNT, REGION, LaptopError
from infra.laptop.postgres import Postgres

ALERTS_TOPIC = "nightjar-alerts"
ALERTS_TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:{ALERTS_TOPIC}"
EARLIER_RAW = "raw/"  # where earlier versions kept raw objects, in the lake bucket


def create_buckets(aws: Aws) -> None:
    """Creates the buckets of ``buckets.yaml``, or updates their settings.

    Raises:
        LaptopError: The run folder is of a version that kept raw objects in the lake bucket.
    """
    present = {bucket["Name"] for bucket in aws.s3.list_buckets()["Buckets"]}
    if NAMES.lake in present and NAMES.raw not in present:
        _require_no_raw_objects(aws)
    for bucket in definition("buckets").values():
        name = bucket["name"]
        if bucket.get("only") == "aws":
            continue
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
        aws.s3.put_bucket_ownership_controls(
            Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        )
        aws.s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": bucket["lifecycle"]})
        document = loopback_policy("buckets", bucket["policy"], bucket=name)
        if document["Statement"]:
            aws.s3.put_bucket_policy(Bucket=name, Policy=json.dumps(document))
        if bucket.get("events"):
            aws.s3.put_bucket_notification_configuration(
                Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )


def _require_no_raw_objects(aws: Aws) -> None:
    """Refuses a lake bucket with raw objects: its markers name objects that the raw bucket does not have."""
    if aws.s3.list_objects_v2(Bucket=NAMES.lake, Prefix=EARLIER_RAW, MaxKeys=1)["KeyCount"]:
        raise LaptopError(
            f"This run folder is of an earlier version, which kept raw objects in the bucket {NAMES.lake}; they belong "
            f"in {NAMES.raw} now. Run `make clean`, then start again: the history is replayed."
        )


def create_shared(aws: Aws) -> None:
    """Creates the alerts topic; CreateTopic keeps an existing one."""
    aws.sns.create_topic(Name=ALERTS_TOPIC)


def create_state_table(aws: Aws) -> None:
    """Creates the table of checkpoints, watermarks, day states and live logs.

    It has point-in-time recovery, as on AWS; the local cloud only remembers the setting.
    """
    table = definition("state_table")
    recovery, _ = table.pop("point_in_time_recovery"), table.pop("key")
    name = table["TableName"]
    if name not in aws.dynamodb.list_tables()["TableNames"]:
        aws.dynamodb.create_table(**table)
        aws.dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    aws.dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": recovery}
    )


def create_prediction_log(aws: Aws, workload: str) -> None:
    """Creates the delivery stream that writes the service's predictions to the lake."""
    stream = definition("streams", workload=workload)["firehose"]
    try:
        aws.firehose.describe_delivery_stream(DeliveryStreamName=stream["DeliveryStreamName"])
    except aws.firehose.exceptions.ResourceNotFoundException:
        aws.firehose.create_delivery_stream(DeliveryStreamType="DirectPut", **stream)


def create_prediction_table(aws: Aws, workload: str) -> None:
    """Creates the table of the prediction log, or updates it."""
    named = {"DatabaseName": definition("glue", code="")["database"]}
    table = definition("predictions", workload=workload)["table"]
    try:
        aws.glue.create_table(**named, TableInput=table)
    except aws.glue.exceptions.AlreadyExistsException:
        aws.glue.update_table(**named, TableInput=table)


def put_database_secret(aws: Aws, workload: Workload, postgres: Postgres) -> None:
    """Puts the login of this machine's PostgreSQL into the workload's database secret, which is made if needed."""
    if workload.database is None:
        return
    secret = json.dumps(postgres.secret(workload.name))
    try:
        aws.secretsmanager.put_secret_value(SecretId=workload.database.secret, SecretString=secret)
    except aws.secretsmanager.exceptions.ResourceNotFoundException:
        aws.secretsmanager.create_secret(Name=workload.database.secret, SecretString=secret)


def create_stream(aws: Aws, workload: Workload) -> None:
    """Creates the stream of the workload's events."""
    stream, name = definition("streams", workload=workload.name)["kinesis"], workload.stream.name
    if name not in aws.kinesis.list_streams(Limit=100)["StreamNames"]:
        aws.kinesis.create_stream(StreamName=name, ShardCount=stream["shards"])
        waiter = {"Delay": 1, "MaxAttempts": 30}
        aws.kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig=waiter)
        aws.kinesis.increase_stream_retention_period(
            StreamName=name, RetentionPeriodHours=stream["RetentionPeriodHours"]
        )
