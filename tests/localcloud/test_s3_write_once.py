"""Write-once buckets: the raw bucket's policy on conditional writes, and Object Lock in governance mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.localcloud import ROOT, Cloud
from tests.support.policed_roles import allow, document, refused

pytestmark = pytest.mark.stack

BUCKET = "write-once"
POLICY = ROOT / "infra" / "policies" / "buckets" / "raw.json"
EXPLICIT = "explicit deny in a resource-based policy"


@pytest.fixture(scope="module")
def operator(cloud: Cloud) -> Any:
    """The operator's S3, with a bucket that has the raw bucket's policy and one object."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="old", Body=b"first")
    s3.put_bucket_policy(Bucket=BUCKET, Policy=POLICY.read_text().replace("${bucket}", BUCKET))
    return s3


@pytest.fixture
def writer(operator: Any, as_role: Any) -> Any:
    """S3 of a role that may do everything."""
    return as_role(allow("s3:*"))("s3")


@pytest.fixture
def upload(writer: Any) -> Callable[[str], dict[str, Any]]:
    """``upload(key)``: the arguments that complete a multipart upload of one part."""

    def begin(key: str) -> dict[str, Any]:
        named = {"Bucket": BUCKET, "Key": key}
        begun = writer.create_multipart_upload(**named)["UploadId"]
        part = writer.upload_part(**named, UploadId=begun, PartNumber=1, Body=b"x" * 100)
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        return {**named, "UploadId": begun, "MultipartUpload": parts}

    return begin


def test_a_put_needs_the_condition(writer: Any) -> None:
    put = {"Bucket": BUCKET, "Key": "new", "Body": b"x"}
    assert EXPLICIT in refused(lambda: writer.put_object(**put))[2]
    writer.put_object(**put, IfNoneMatch="*")
    assert refused(lambda: writer.put_object(**put, IfNoneMatch="*"))[0] == "PreconditionFailed"


def test_a_copy_over_an_object_is_refused(writer: Any, operator: Any) -> None:
    copy = {"Bucket": BUCKET, "Key": "old", "CopySource": {"Bucket": BUCKET, "Key": "old"}}
    assert EXPLICIT in refused(lambda: writer.copy_object(**copy, MetadataDirective="REPLACE"))[2]
    assert operator.get_object(Bucket=BUCKET, Key="old")["Body"].read() == b"first"


def test_a_bucket_policy_binds_the_operator_but_not_its_hand_on_the_policy(operator: Any) -> None:
    put = {"Bucket": BUCKET, "Key": "by-operator", "Body": b"x"}
    assert EXPLICIT in refused(lambda: operator.put_object(**put))[2]
    operator.put_object(**put, IfNoneMatch="*")
    name = "closed-to-all"
    operator.create_bucket(Bucket=name)
    everything = {
        **allow("s3:*", [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"], Principal="*"),
        "Effect": "Deny",
    }
    operator.put_bucket_policy(Bucket=name, Policy=document(everything))
    assert EXPLICIT in refused(lambda: operator.get_bucket_tagging(Bucket=name))[2]
    assert "s3:*" in operator.get_bucket_policy(Bucket=name)["Policy"]
    operator.delete_bucket_policy(Bucket=name)
    operator.delete_bucket(Bucket=name)


def test_a_multipart_upload_needs_the_condition_only_when_it_is_completed(writer: Any, upload: Any) -> None:
    complete = upload("parts")
    assert EXPLICIT in refused(lambda: writer.complete_multipart_upload(**complete))[2]
    writer.complete_multipart_upload(**complete, IfNoneMatch="*")
    over = upload("old")
    answer = refused(lambda: writer.complete_multipart_upload(**over, IfNoneMatch="*"))
    assert answer[0] == "PreconditionFailed"


def test_without_the_second_key_no_multipart_upload_begins(cloud: Cloud, as_role: Any) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="no-uploads")
    deny = {
        **allow("s3:PutObject", "arn:aws:s3:::no-uploads/*", Principal="*"),
        "Effect": "Deny",
        "Condition": {"Null": {"s3:if-none-match": "true"}},
    }
    s3.put_bucket_policy(Bucket="no-uploads", Policy=document(deny))
    role = as_role(allow("s3:*"))("s3")
    assert EXPLICIT in refused(lambda: role.create_multipart_upload(Bucket="no-uploads", Key="k"))[2]


@pytest.fixture(scope="module")
def locked(cloud: Cloud) -> dict[str, str]:
    """A version that the default retention of its bucket locks in governance mode."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket="locked", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    version = s3.put_object(Bucket="locked", Key="k", Body=b"x")["VersionId"]
    return {"Bucket": "locked", "Key": "k", "VersionId": version}


DELETING = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectRetention"]


def test_a_locked_version_is_deleted_only_with_the_permission_to_bypass(locked: Any, as_role: Any) -> None:
    role = as_role(allow(DELETING))("s3")
    assert "object lock" in refused(lambda: role.delete_object(**locked))[2]
    bypass = refused(lambda: role.delete_object(**locked, BypassGovernanceRetention=True))
    assert "s3:BypassGovernanceRetention" in bypass[2]
    batch = {"Objects": [{"Key": "k", "VersionId": locked["VersionId"]}]}
    together = {"Bucket": "locked", "Delete": batch, "BypassGovernanceRetention": True}
    assert "s3:BypassGovernanceRetention" in refused(lambda: role.delete_objects(**together))[2]
    shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": "2000-01-01T00:00:00Z"}
    change = {**locked, "Retention": shorter, "BypassGovernanceRetention": True}
    assert "s3:BypassGovernanceRetention" in refused(lambda: role.put_object_retention(**change))[2]
    able = as_role(allow([*DELETING, "s3:BypassGovernanceRetention"]))("s3")
    assert "object lock" in refused(lambda: able.delete_object(**locked))[2]
    able.delete_object(**locked, BypassGovernanceRetention=True)
