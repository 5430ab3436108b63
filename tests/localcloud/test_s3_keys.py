"""Objects under KMS keys: who may write and read them, and what a key's state does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.localcloud import ACCOUNT, REGION, Cloud
from tests.support.policed_roles import allow, document, refused
from tests.support.s3_buckets import error_code

pytestmark = pytest.mark.stack

BUCKET = "under-a-key"
OBJECT = {"Bucket": BUCKET, "Key": "k"}
VIA = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}


@pytest.fixture(scope="module")
def key(cloud: Cloud) -> str:
    """The default key of a bucket, which has one object; the account's policies decide who uses it."""
    root = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    arn: str = cloud.client("kms").create_key(Policy=document(root))["KeyMetadata"]["Arn"]
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(**OBJECT, Body=b"x")
    return arn


def test_writing_needs_data_keys_and_reading_decryption(key: str, as_role: Any) -> None:
    neither = as_role(allow("s3:*"))("s3")
    assert "kms:GenerateDataKey" in refused(lambda: neither.put_object(**OBJECT, Body=b"y"))[2]
    assert "kms:Decrypt" in refused(lambda: neither.get_object(**OBJECT))[2]
    assert neither.head_object(**OBJECT)["ContentLength"] == 1, "the metadata of an object are not encrypted"
    writer = as_role(allow("s3:*"), allow("kms:GenerateDataKey", key, Condition=VIA))("s3")
    writer.put_object(**OBJECT, Body=b"y")
    assert "kms:Decrypt" in refused(lambda: writer.get_object(**OBJECT))[2]
    reader = as_role(allow("s3:*"), allow("kms:Decrypt", key, Condition=VIA))("s3")
    assert reader.get_object(**OBJECT)["Body"].read() == b"y"


def test_a_copy_decrypts_its_source_and_encrypts_its_target(key: str, as_role: Any) -> None:
    copy = {"Bucket": BUCKET, "Key": "copy", "CopySource": OBJECT}
    writer = as_role(allow("s3:*"), allow("kms:GenerateDataKey", key))("s3")
    assert "kms:Decrypt" in refused(lambda: writer.copy_object(**copy))[2]
    both = as_role(allow("s3:*"), allow(["kms:GenerateDataKey", "kms:Decrypt"], key))("s3")
    both.copy_object(**copy)


def test_a_multipart_upload_needs_both(key: str, as_role: Any) -> None:
    named = {"Bucket": BUCKET, "Key": "parts"}
    reader = as_role(allow("s3:*"), allow("kms:Decrypt", key))("s3")
    assert "kms:GenerateDataKey" in refused(lambda: reader.create_multipart_upload(**named))[2]
    writer = as_role(allow("s3:*"), allow("kms:GenerateDataKey", key))("s3")
    part = {**named, "UploadId": writer.create_multipart_upload(**named)["UploadId"], "PartNumber": 1, "Body": b"z"}
    assert "kms:Decrypt" in refused(lambda: writer.upload_part(**part))[2]
    reader.upload_part(**part)


def test_the_bucket_is_the_context_of_a_bucket_key(key: str, as_role: Any) -> None:
    def reader(encrypted: str) -> Any:
        condition = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": encrypted}}
        return as_role(allow("s3:*"), allow("kms:Decrypt", key, Condition=condition))("s3")

    assert reader(f"arn:aws:s3:::{BUCKET}").get_object(**OBJECT)
    assert "kms:Decrypt" in refused(lambda: reader(f"arn:aws:s3:::{BUCKET}/k").get_object(**OBJECT))[2]


def test_the_uses_of_a_key_are_recorded(cloud: Cloud, key: str, as_role: Any) -> None:
    as_role(allow("s3:*"), allow("kms:Decrypt", key))("s3").get_object(**OBJECT)
    asked = {entry["action"]: entry["resource"] for line in cloud.requests()[-50:] for entry in line.get("iam", ())}
    assert asked["kms:Decrypt"] == key


def test_a_key_that_is_disabled_or_goes_closes_its_objects(cloud: Cloud) -> None:
    kms, s3 = cloud.client("kms"), cloud.client("s3")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    under = {"Bucket": "closing", "Key": "k"}
    put = {**under, "Body": b"x", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": arn}
    s3.create_bucket(Bucket="closing")
    s3.put_object(**put)
    kms.disable_key(KeyId=arn)
    assert error_code(s3.get_object, **under) == "KMS.DisabledException"
    assert error_code(s3.put_object, **put) == "KMS.DisabledException"
    assert error_code(s3.copy_object, Bucket="closing", Key="c", CopySource=under) == "KMS.DisabledException"
    assert s3.head_object(**under)["ContentLength"] == 1
    kms.enable_key(KeyId=arn)
    assert s3.get_object(**under)["Body"].read() == b"x"
    kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert error_code(s3.get_object, **under) == "KMS.KMSInvalidStateException"
    unknown = {**put, "SSEKMSKeyId": arn[:-4] + "0000"}
    assert error_code(s3.put_object, **unknown) == "KMS.NotFoundException"
