"""KMS keys of streams, queues, topics and secrets, and of the bucket that Firehose delivers to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support.localcloud import ACCOUNT, REGION, Cloud
from tests.support.policed_roles import allow, document, refused

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def key(cloud: Cloud) -> str:
    root = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    arn: str = cloud.client("kms").create_key(Policy=document(root))["KeyMetadata"]["Arn"]
    return arn


def stream(cloud: Cloud, key: str) -> tuple[Callable[[Any], Any], ...]:
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName="keyed", ShardCount=1)
    kinesis.start_stream_encryption(StreamName="keyed", EncryptionType="KMS", KeyId=key)
    kinesis.put_record(StreamName="keyed", Data=b"x", PartitionKey="k")
    shard = kinesis.list_shards(StreamName="keyed")["Shards"][0]["ShardId"]
    begin = {"StreamName": "keyed", "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(**begin)["ShardIterator"]
    return (
        lambda client: client.put_record(StreamName="keyed", Data=b"x", PartitionKey="k"),
        lambda client: client.get_records(ShardIterator=iterator),
    )


def queue(cloud: Cloud, key: str) -> tuple[Callable[[Any], Any], ...]:
    url = cloud.client("sqs").create_queue(QueueName="keyed", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    return (
        lambda client: client.send_message(QueueUrl=url, MessageBody="x"),
        lambda client: client.receive_message(QueueUrl=url),
    )


def topic(cloud: Cloud, key: str) -> tuple[Callable[[Any], Any], ...]:
    arn = cloud.client("sns").create_topic(Name="keyed", Attributes={"KmsMasterKeyId": key})["TopicArn"]
    return (lambda client: client.publish(TopicArn=arn, Message="x"),)


def secret(cloud: Cloud, key: str) -> tuple[Callable[[Any], Any], ...]:
    cloud.client("secretsmanager").create_secret(Name="keyed", SecretString="x", KmsKeyId=key)
    return (
        lambda client: client.put_secret_value(SecretId="keyed", SecretString="y"),
        lambda client: client.get_secret_value(SecretId="keyed"),
    )


@pytest.mark.parametrize(
    ("service", "make", "needed"),
    [
        ("kinesis", stream, (["kms:GenerateDataKey"], ["kms:Decrypt"])),
        ("sqs", queue, (["kms:GenerateDataKey", "kms:Decrypt"], ["kms:Decrypt"])),
        ("sns", topic, (["kms:GenerateDataKey", "kms:Decrypt"],)),
        ("secretsmanager", secret, (["kms:GenerateDataKey", "kms:Decrypt"], ["kms:Decrypt"])),
    ],
)
def test_a_call_needs_the_key_through_the_service(
    cloud: Cloud, key: str, as_role: Any, service: str, make: Any, needed: tuple[list[str], ...]
) -> None:
    via = {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}
    for call, actions in zip(make(cloud, key), needed, strict=True):
        able = as_role(allow(f"{service}:*"), allow(actions, key, Condition=via))(service)
        assert call(able)
        for missing in actions:
            others = [action for action in actions if action != missing]
            statements = [allow(others, key)] if others else []
            unable = as_role(allow(f"{service}:*"), *statements)(service)
            sentence = refused(partial(call, unable))[2]
            assert f"is not authorized to perform: {missing} on resource: {key}" in sentence


def test_firehose_encrypts_with_the_key_of_the_bucket(cloud: Cloud, key: str) -> None:
    s3, iam, firehose = (cloud.client(service) for service in ("s3", "iam", "firehose"))
    s3.create_bucket(Bucket="keyed-deliveries")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    s3.put_bucket_encryption(Bucket="keyed-deliveries", ServerSideEncryptionConfiguration=rules)
    trust = {**allow("sts:AssumeRole", Principal={"Service": "firehose.amazonaws.com"})}
    del trust["Resource"]
    role = iam.create_role(RoleName="delivers", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    own = {"RoleName": "delivers", "PolicyName": "own"}
    iam.put_role_policy(**own, PolicyDocument=document(allow("s3:PutObject")))
    destination = {"RoleARN": role, "BucketARN": "arn:aws:s3:::keyed-deliveries"}
    firehose.create_delivery_stream(DeliveryStreamName="keyed", ExtendedS3DestinationConfiguration=destination)
    put = {"DeliveryStreamName": "keyed", "Record": {"Data": b"x"}}
    assert "kms:GenerateDataKey" in refused(lambda: firehose.put_record(**put))[2]
    via = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    both = document(allow("s3:PutObject"), allow("kms:GenerateDataKey", key, Condition=via))
    iam.put_role_policy(**own, PolicyDocument=both)
    firehose.put_record(**put)
    found = s3.list_objects_v2(Bucket="keyed-deliveries")["Contents"][0]["Key"]
    assert s3.head_object(Bucket="keyed-deliveries", Key=found)["SSEKMSKeyId"] == key
