"""infra/localcloud/s3/operations.py, routing.py: every operation of S3; none reaches past its sub-resource."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from infra.localcloud.operations.table import service_table
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.operations import HANDLERS
from infra.localcloud.s3.routing import find
from tests.support.s3_buckets import error_code, new_bucket, send

# Not a client's model: that one has paths without the bucket.
MODEL = botocore.session.get_session().get_service_model("s3")
NAMES = sorted(MODEL.operation_names)
# moto's names for what is no operation of AWS's model.
NAMES_OF_MOTO = {"BucketCORSPreflightCheck", "ObjectCORSPreflightCheck", "PostObject"}
SUBRESOURCES = [
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "annotation",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploads",
    "versioning",
    "versions",
    "website",
    "something-new",
]


def test_the_table_has_every_operation() -> None:
    lines = {name: line for name, line in service_table("s3").operations.items() if name not in NAMES_OF_MOTO}
    assert sorted(lines) == NAMES
    assert sorted(HANDLERS) == sorted(name for name, line in lines.items() if line.kind != "refused")


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"ListDirectoryBuckets", "WriteGetObjectResponse"}))
def test_a_request_finds_its_operation(name: str) -> None:
    model = MODEL.operation_model(name)
    path, _, query = model.http["requestUri"].partition("?")
    level = {"/": "service", "/{Bucket}": "bucket"}.get(path, "key")
    names = {part.partition("=")[0]: "" for part in query.split("&") if part}
    members = model.input_shape.members if model.input_shape else {}
    required = model.input_shape.required_members if model.input_shape else []
    for member in required:
        if members[member].serialization.get("location") == "querystring":
            names[members[member].serialization["name"]] = "1"
    headers = {"x-amz-copy-source": "b/k"} if name in ("CopyObject", "UploadPartCopy") else {}
    found = find(model.http["method"], level, names, headers)
    newer = {"GetBucketLifecycle", "PutBucketLifecycle", "GetBucketNotification", "PutBucketNotification"}
    assert found == (f"{name}Configuration" if name in newer else name)


def test_ordinary_parameters_change_nothing() -> None:
    assert (
        find("GET", "key", {"x-id": "GetObject", "response-content-type": "text/plain", "cache": "7"}, {})
        == "GetObject"
    )
    assert find("PUT", "key", {"X-Amz-Signature": "s", "x-id": "PutObject"}, {}) == "PutObject"
    assert find("DELETE", "key", {"versionId": "v"}, {}) == "DeleteObject"
    for method, query in (("DELETE", {"cache": "7"}), ("GET", {"new-thing": ""}), ("PUT", {"uploadId": "u"})):
        with pytest.raises(S3Error):
            find(method, "key", query, {})


@pytest.mark.stack
@pytest.mark.parametrize("name", NAMES)
def test_no_operation_deletes_what_it_does_not_name(cloud: Any, name: str) -> None:
    """The request has the operation's method, path and required parameters, and no body."""
    s3 = cloud.client("s3")
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    model = MODEL.operation_model(name)
    members = model.input_shape.members if model.input_shape else {}
    required = model.input_shape.required_members if model.input_shape else []
    query = [
        f"{members[member].serialization['name']}=1"
        for member in required
        if members[member].serialization.get("location") == "querystring"
    ]
    path = model.http["requestUri"].replace("{Bucket}", bucket).replace("{Key+}", "key")
    path += ("&" if "?" in path else "?") + "&".join(query) if query else ""
    status, _, _ = send(cloud, model.http["method"], path, headers={"Content-Length": "0"})
    assert status < 500
    if name == "DeleteObject":
        assert error_code(s3.head_object, Bucket=bucket, Key="key") == "404"
        return
    if name in ("PutObject", "CopyObject"):  # the same request, without a source
        assert s3.head_object(Bucket=bucket, Key="key")["ContentLength"] == 0
        return
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"body"
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]


@pytest.mark.stack
@pytest.mark.parametrize("method", ["DELETE", "PUT", "POST"])
@pytest.mark.parametrize("subresource", SUBRESOURCES)
def test_a_subresource_never_falls_through(cloud: Any, method: str, subresource: str) -> None:
    s3 = cloud.client("s3")
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    for path in (f"/{bucket}?{subresource}", f"/{bucket}/key?{subresource}", f"/{bucket}?{subresource}&id=1"):
        status, code, _ = send(cloud, method, path, b"<x/>", {"Content-Length": "4"})
        assert status < 500
        assert method == "DELETE" or subresource == "uploads" or status >= 400, code
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"body"
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["key"]


@pytest.mark.stack
def test_deleting_a_setting_leaves_the_bucket(cloud: Any) -> None:
    """DeleteBucketInventoryConfiguration once deleted the bucket."""
    s3 = cloud.client("s3")
    bucket = new_bucket(s3)
    for operation in ("inventory", "analytics", "metrics", "intelligent_tiering"):
        delete = getattr(s3, f"delete_bucket_{operation}_configuration")
        assert error_code(delete, Bucket=bucket, Id="none") == "NoSuchConfiguration"
    for operation in (
        "cors",
        "encryption",
        "lifecycle",
        "ownership_controls",
        "policy",
        "replication",
        "tagging",
        "website",
    ):
        getattr(s3, f"delete_bucket_{operation}")(Bucket=bucket)
    s3.delete_public_access_block(Bucket=bucket)
    s3.head_bucket(Bucket=bucket)


@pytest.mark.stack
def test_a_refusal_names_its_reason(cloud: Any) -> None:
    s3 = cloud.client("s3")
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    status, code, text = send(cloud, "GET", f"/{bucket}/key?torrent")
    assert (status, code) == (400, "NotImplemented")
    assert b"The local cloud cannot do" in text
    assert error_code(
        s3.put_object, Bucket=bucket, Key="k", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32
    ) == ("NotImplemented")
