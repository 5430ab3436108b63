"""moto's services that use S3 in process read and write the same store as the requests."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.support.s3_buckets import new_bucket

pytestmark = pytest.mark.stack
ROLE = "arn:aws:iam::123456789012:role/service"


@pytest.fixture(scope="module")
def s3(cloud: Any) -> Any:
    return cloud.client("s3")


def bodies(s3: Any, bucket: str, prefix: str = "") -> list[bytes]:
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return [s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read() for entry in found]


def test_firehose_delivers(cloud: Any, s3: Any) -> None:
    bucket = new_bucket(s3)
    firehose = cloud.client("firehose")
    destination = {"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::{bucket}", "Prefix": "in/"}
    firehose.create_delivery_stream(DeliveryStreamName=bucket, ExtendedS3DestinationConfiguration=destination)
    firehose.put_record(DeliveryStreamName=bucket, Record={"Data": b"record"})
    assert bodies(s3, bucket, "in/") == [b"record"]


def test_a_function_is_read_from_s3(cloud: Any, s3: Any) -> None:
    bucket = new_bucket(s3)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("main.py", "def handler(event, context): return 1")
    s3.put_object(Bucket=bucket, Key="code.zip", Body=archive.getvalue())
    iam = cloud.client("iam")
    role = iam.create_role(RoleName=bucket, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = {"S3Bucket": bucket, "S3Key": "code.zip"}
    common = {"Runtime": "python3.12", "Role": role, "Handler": "main.handler"}
    made = cloud.client("lambda").create_function(FunctionName=bucket, Code=code, **common)
    assert made["CodeSize"] == len(archive.getvalue())


def test_the_tagging_api_sees_buckets(cloud: Any, s3: Any) -> None:
    bucket = new_bucket(s3)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "only", "Value": bucket}]})
    tagging = cloud.client("resourcegroupstaggingapi")
    found = tagging.get_resources(TagFilters=[{"Key": "only", "Values": [bucket]}])["ResourceTagMappingList"]
    assert [entry["ResourceARN"] for entry in found] == [f"arn:aws:s3:::{bucket}"]
    tagging.tag_resources(ResourceARNList=[f"arn:aws:s3:::{bucket}"], Tags={"more": "1"})
    assert {"Key": "more", "Value": "1"} in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
