"""SQS, SNS, Secrets Manager, Parameter Store and Firehose: what moto accepts and AWS does not, and their semantics."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, REGION, Cloud

pytestmark = pytest.mark.stack


def error(call: Any, **members: Any) -> tuple[str, str]:
    """Code and text of the error that the call fails with."""
    with pytest.raises(ClientError) as caught:
        call(**members)
    found = caught.value.response["Error"]
    return str(found["Code"]), str(found["Message"])


def test_sqs_refuses_characters_that_xml_has_not(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="characters")["QueueUrl"]
    assert error(sqs.send_message, QueueUrl=url, MessageBody="a\x01")[0] == "InvalidMessageContents"
    sqs.send_message(QueueUrl=url, MessageBody="tab\t, newline\n, é and 😀")
    assert [m["Body"] for m in sqs.receive_message(QueueUrl=url)["Messages"]] == ["tab\t, newline\n, é and 😀"]


def test_a_fifo_queue_drops_duplicates_and_keeps_the_order(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = sqs.create_queue(QueueName="order.fifo", Attributes=attributes)["QueueUrl"]
    for body in "aab":
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="1")
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in received] == ["a", "b"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_a_message_received_too_often_goes_to_the_dead_letter_queue(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead", "maxReceiveCount": 2}
    attributes = {"VisibilityTimeout": "0", "RedrivePolicy": json.dumps(redrive)}
    url = sqs.create_queue(QueueName="redriven", Attributes=attributes)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m")
    assert [len(sqs.receive_message(QueueUrl=url).get("Messages", [])) for _ in range(3)] == [1, 1, 0]
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=dead)["Messages"]] == ["m"]


@pytest.mark.parametrize(
    ("policy", "received"),
    [
        ({"k": ["a", "b"]}, True),
        ({"k": [{"anything-but": ["a"]}]}, False),
        ({"k": [{"prefix": "a"}], "n": [{"numeric": [">=", 2, "<", 3]}]}, True),
        ({"n": [{"numeric": ["=", 2]}]}, False),
        ({"absent": [{"exists": False}]}, True),
        ({"absent": [{"anything-but": ["x"]}]}, False),
    ],
)
def test_a_filter_policy_selects_messages(cloud: Cloud, policy: dict[str, Any], received: bool) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name="filtered")["TopicArn"]
    url = sqs.create_queue(QueueName="filtered")["QueueUrl"]
    subscription = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:filtered",
        Attributes={"FilterPolicy": json.dumps(policy)},
    )["SubscriptionArn"]
    attributes = {"k": {"DataType": "String", "StringValue": "a"}, "n": {"DataType": "Number", "StringValue": "2.5"}}
    sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)
    assert ("Messages" in sqs.receive_message(QueueUrl=url)) is received
    sns.unsubscribe(SubscriptionArn=subscription)


def test_publish_fails_in_snss_words(cloud: Cloud) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="errors")["TopicArn"]
    assert error(sns.publish, TopicArn=f"{topic}x", Message="m") == ("NotFound", "Topic does not exist")
    assert error(sns.publish, TopicArn=topic, Message="") == ("InvalidParameter", "Invalid parameter: Empty message")
    assert error(sns.publish, TopicArn=topic, Message="m", Subject="s" * 101)[0] == "InvalidParameter"
    assert error(sns.publish, PhoneNumber="+4912345", Message="m")[0] == "NotImplementedException"
    refused = error(sns.subscribe, TopicArn=topic, Protocol="lambda", Endpoint="arn:aws:lambda:f")
    assert refused[0] == "NotImplementedException"


def test_a_secret_has_versions_and_stages_and_is_not_changed_while_deleted(cloud: Cloud) -> None:
    secrets = cloud.client("secretsmanager")
    first = secrets.create_secret(Name="staged", SecretString="1")["VersionId"]
    second = secrets.put_secret_value(SecretId="staged", SecretString="2")["VersionId"]
    secrets.put_secret_value(SecretId="staged", SecretString="3", VersionStages=["MINE"])
    stages = secrets.describe_secret(SecretId="staged")["VersionIdsToStages"]
    assert (stages[first], stages[second]) == (["AWSPREVIOUS"], ["AWSCURRENT"])
    assert secrets.get_secret_value(SecretId="staged")["SecretString"] == "2"
    assert secrets.get_secret_value(SecretId="staged", VersionStage="MINE")["SecretString"] == "3"
    secrets.delete_secret(SecretId="staged")
    assert error(secrets.put_secret_value, SecretId="staged", SecretString="4")[0] == "InvalidRequestException"
    assert error(secrets.get_secret_value, SecretId="staged")[0] == "InvalidRequestException"
    secrets.restore_secret(SecretId="staged")
    assert secrets.get_secret_value(SecretId="staged")["SecretString"] == "2"
    assert error(secrets.rotate_secret, SecretId="staged")[0] == "NotImplementedException"


def test_a_parameter_keeps_to_its_tier_and_pattern(cloud: Cloud) -> None:
    ssm = cloud.client("ssm")
    long = {"Name": "/limits/long", "Value": "v" * 4097, "Type": "String"}
    assert error(ssm.put_parameter, **long)[0] == "ValidationException"
    ssm.put_parameter(**long, Tier="Advanced")
    digits = {"Name": "/limits/digits", "Type": "String", "AllowedPattern": "[0-9]+"}
    assert error(ssm.put_parameter, **digits, Value="1a")[0] == "ParameterPatternMismatchException"
    ssm.put_parameter(**digits, Value="1")
    ssm.put_parameter(Name="/limits/digits", Value="2", Overwrite=True)
    assert ssm.get_parameter(Name="/limits/digits:1")["Parameter"]["Value"] == "1"
    assert error(ssm.get_parameter, Name="/limits/digits:9")[0] == "ParameterVersionNotFound"


def test_firehose_writes_what_is_put_below_the_prefix_as_it_is(cloud: Cloud) -> None:
    firehose, s3 = cloud.client("firehose"), cloud.client("s3")
    s3.create_bucket(Bucket="delivered")
    role = f"arn:aws:iam::{ACCOUNT}:role/service"
    destination = {"RoleARN": role, "BucketARN": "arn:aws:s3:::delivered", "Prefix": "day="}
    firehose.create_delivery_stream(DeliveryStreamName="d", ExtendedS3DestinationConfiguration=destination)
    firehose.put_record_batch(DeliveryStreamName="d", Records=[{"Data": b"1\n"}, {"Data": b"2\n"}])
    (item,) = s3.list_objects_v2(Bucket="delivered")["Contents"]
    assert item["Key"].startswith("day=20") and item["Key"].split("/")[-1].startswith("d-1-")
    assert s3.get_object(Bucket="delivered", Key=item["Key"])["Body"].read() == b"1\n2\n"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"CompressionFormat": "GZIP"}, "objects are written as the records were put"),
        ({"Prefix": "!{timestamp:yyyy}/"}, "expressions in Prefix are not evaluated"),
        ({"DynamicPartitioningConfiguration": {"Enabled": True}}, "records are not partitioned"),
    ],
)
def test_firehose_refuses_what_it_would_ignore(cloud: Cloud, members: dict[str, Any], reason: str) -> None:
    destination = {"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/service", "BucketARN": "arn:aws:s3:::delivered", **members}
    create = cloud.client("firehose").create_delivery_stream
    code, text = error(create, DeliveryStreamName="refused", ExtendedS3DestinationConfiguration=destination)
    assert (code, reason in text) == ("NotImplementedException", True)
    source = {"KinesisStreamARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s", "RoleARN": destination["RoleARN"]}
    from_stream = {"DeliveryStreamType": "KinesisStreamAsSource", "KinesisStreamSourceConfiguration": source}
    assert error(create, DeliveryStreamName="refused", **from_stream)[0] == "NotImplementedException"


def test_a_queue_says_whose_dead_letters_it_takes(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    arns = {name: f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}" for name in ("letters", "letters-dead", "letters-other")}
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in arns}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arns["letters-dead"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    only = json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arns["letters"]]})
    dead = urls["letters-dead"]
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"Policy": policy})
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": only})
    found = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]
    assert (found["Policy"], found["RedriveAllowPolicy"]) == (policy, only)
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arns["letters-dead"], "maxReceiveCount": 5})}
    sqs.set_queue_attributes(QueueUrl=urls["letters"], Attributes=redrive)
    with pytest.raises(ClientError, match="does not permit the redrive policy"):
        sqs.set_queue_attributes(QueueUrl=urls["letters-other"], Attributes=redrive)
