"""S3 → EventBridge → SQS: what is put, copied, joined and deleted is announced, once, before the client's answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.localcloud import ACCOUNT, REGION, Cloud

pytestmark = pytest.mark.stack
BUCKET = "announced"
DROPS = {"source": ["aws.s3"], "detail": {"bucket": {"name": [BUCKET]}, "object": {"key": [{"prefix": "drops/"}]}}}


@pytest.fixture(scope="module")
def announced(cloud: Cloud) -> Callable[[], list[Any]]:
    """``announced()``: the events that are in the queue now; the bucket's events go there through a rule."""
    s3, events, sqs = (cloud.client(service) for service in ("s3", "events", "sqs"))
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}})
    url = sqs.create_queue(QueueName=BUCKET)["QueueUrl"]
    events.put_rule(Name=BUCKET, EventPattern=json.dumps(DROPS))
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{BUCKET}"
    events.put_targets(Rule=BUCKET, Targets=[{"Id": "queue", "Arn": queue}])

    def received() -> list[Any]:
        found: list[Any] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"]) for message in messages]
        return found

    return received


def test_a_put_is_announced_with_the_version_that_it_made(cloud: Cloud, announced: Callable[[], list[Any]]) -> None:
    s3 = cloud.client("s3")
    made = s3.put_object(Bucket=BUCKET, Key="drops/w/a b+ü.csv", Body=b"abc")
    (event,) = announced()
    assert (event["detail-type"], event["source"]) == ("Object Created", "aws.s3")
    assert event["resources"] == [f"arn:aws:s3:::{BUCKET}"]
    found = event["detail"]
    assert found["reason"] == "PutObject"
    assert found["object"].pop("sequencer")
    assert found["object"] == {
        "key": "drops/w/a b+ü.csv",
        "size": 3,
        "etag": made["ETag"].strip('"'),
        "version-id": made["VersionId"],
    }


def test_every_way_to_make_an_object_is_announced(cloud: Cloud, announced: Callable[[], list[Any]]) -> None:
    s3 = cloud.client("s3")
    s3.put_object(Bucket=BUCKET, Key="elsewhere", Body=b"abc")
    s3.copy_object(Bucket=BUCKET, Key="drops/copy", CopySource=f"{BUCKET}/elsewhere")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="drops/parts")["UploadId"]
    named = {"Bucket": BUCKET, "Key": "drops/parts", "UploadId": upload}
    part = s3.upload_part(**named, PartNumber=1, Body=b"abcd")["ETag"]
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    found = [(event["detail"]["object"]["key"], event["detail"]["reason"]) for event in announced()]
    assert found == [("drops/copy", "CopyObject"), ("drops/parts", "CompleteMultipartUpload")]


def test_a_deletion_says_whether_the_object_can_come_back(cloud: Cloud, announced: Callable[[], list[Any]]) -> None:
    s3 = cloud.client("s3")
    version = s3.put_object(Bucket=BUCKET, Key="drops/gone", Body=b"abc")["VersionId"]
    s3.delete_object(Bucket=BUCKET, Key="drops/gone")
    s3.delete_object(Bucket=BUCKET, Key="drops/gone", VersionId=version)
    made, *deleted = announced()
    assert made["detail-type"] == "Object Created"
    kinds = [(event["detail-type"], event["detail"]["deletion-type"]) for event in deleted]
    assert kinds == [("Object Deleted", "Delete Marker Created"), ("Object Deleted", "Permanently Deleted")]
    assert deleted[1]["detail"]["object"]["version-id"] == version


def test_a_refused_put_and_a_silent_bucket_announce_nothing(cloud: Cloud, announced: Callable[[], list[Any]]) -> None:
    s3 = cloud.client("s3")
    s3.put_object(Bucket=BUCKET, Key="drops/taken", Body=b"abc")
    announced()
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=BUCKET, Key="drops/taken", Body=b"abc", IfNoneMatch="*")
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    s3.put_object(Bucket=BUCKET, Key="drops/silent", Body=b"abc")
    assert announced() == []
