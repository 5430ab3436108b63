"""Objects of the local cloud's S3: bodies, headers, ranges, conditions, versions, copies."""

from __future__ import annotations

import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config as ClientConfig
from botocore.exceptions import ClientError

from tests.support.s3_buckets import error_code, new_bucket, send

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def s3(cloud: Any) -> Any:
    return cloud.client("s3", config=ClientConfig(max_pool_connections=32, s3={"addressing_style": "path"}))


def test_keys_and_headers_come_back(s3: Any) -> None:
    bucket = new_bucket(s3)
    for key in ("a", "dir/", "a//b", "/lead", "ünï code+&=?#%20", "new\nline", "x" * 1024):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert listed == sorted(listed, key=str.encode)
    assert len(listed) == 7
    assert error_code(s3.put_object, Bucket=bucket, Key="x" * 1025) == "KeyTooLongError"
    given = {
        "CacheControl": "no-store",
        "ContentDisposition": "inline",
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/csv",
        "Metadata": {"with_underscore": "1", "with-dash": "2"},
    }
    s3.put_object(Bucket=bucket, Key="headers", Body=b"x", **given)
    head = s3.head_object(Bucket=bucket, Key="headers")
    assert {name: head[name] for name in given} == given
    assert (head["ServerSideEncryption"], head["ContentLength"]) == ("AES256", 1)
    assert error_code(s3.put_object, Bucket=bucket, Key="m", Metadata={"a": "x" * 2048}) == "MetadataTooLarge"
    overridden = s3.get_object(Bucket=bucket, Key="headers", ResponseContentType="text/plain")
    assert overridden["ContentType"] == "text/plain"


def test_ranges(s3: Any) -> None:
    bucket = new_bucket(s3)
    body = bytes(range(256)) * 1000
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    for text, expected in (
        ("bytes=0-0", body[:1]),
        ("bytes=100-199", body[100:200]),
        ("bytes=200000-", body[200000:]),
        ("bytes=-300", body[-300:]),
        ("bytes=0-99999999", body),
        ("bytes=-99999999", body),
    ):
        got = s3.get_object(Bucket=bucket, Key="k", Range=text)
        assert (got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read()) == (206, expected)
        assert s3.head_object(Bucket=bucket, Key="k", Range=text)["ContentLength"] == len(expected)
    assert got["ContentRange"] == f"bytes 0-{len(body) - 1}/{len(body)}"
    for text in ("bytes=5-2", "bytes=1-2,4-5", "lines=1-2", "bytes=x-y"):
        assert s3.get_object(Bucket=bucket, Key="k", Range=text)["Body"].read() == body
    assert error_code(s3.get_object, Bucket=bucket, Key="k", Range=f"bytes={len(body)}-") == "InvalidRange"
    assert error_code(s3.head_object, Bucket=bucket, Key="k", Range=f"bytes={len(body)}-") == "416"


def test_conditions_of_reads(s3: Any) -> None:
    bucket = new_bucket(s3)
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag, IfUnmodifiedSince="2001-01-01")["ETag"] == etag
    assert error_code(s3.get_object, Bucket=bucket, Key="k", IfMatch='"other"') == "PreconditionFailed"
    assert error_code(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == "304"
    assert error_code(s3.head_object, Bucket=bucket, Key="k", IfModifiedSince=modified) == "304"
    assert error_code(s3.get_object, Bucket=bucket, Key="k", IfUnmodifiedSince="2001-01-01") == "PreconditionFailed"


def test_conditions_of_writes(s3: Any) -> None:
    bucket = new_bucket(s3)
    assert error_code(s3.put_object, Bucket=bucket, Key="k", Body=b"1", IfMatch='"none"') == "NoSuchKey"
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    assert error_code(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*") == "PreconditionFailed"
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=first)["ETag"]
    assert error_code(s3.put_object, Bucket=bucket, Key="k", Body=b"3", IfMatch=first) == "PreconditionFailed"
    assert error_code(s3.delete_object, Bucket=bucket, Key="k", IfMatch=first) == "PreconditionFailed"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=second)
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=second)
    assert error_code(s3.get_object, Bucket=bucket, Key="k") == "NoSuchKey"
    assert error_code(s3.put_object, Bucket=bucket, Key="k", IfNoneMatch='"etag"') == "NotImplemented"


def winners(write: Any, writers: int = 8) -> int:
    """Calls ``write(writer)`` from all writers at once; returns how many were not refused by their condition."""

    def won(writer: int) -> bool:
        try:
            write(writer)
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            return False
        return True

    with ThreadPoolExecutor(writers) as pool:
        return sum(pool.map(won, range(writers)))


def test_one_of_parallel_conditional_puts_wins(s3: Any) -> None:
    bucket = new_bucket(s3)
    for number in range(12):
        place = {"Bucket": bucket, "Key": f"key-{number}"}
        assert winners(lambda writer, place=place: s3.put_object(Body=b"new", IfNoneMatch="*", **place)) == 1
        etag = s3.head_object(**place)["ETag"]
        bodies = [f"writer {writer}".encode() for writer in range(8)]

        def replace(writer: int, place: dict[str, str] = place, etag: str = etag, bodies: Any = bodies) -> None:
            s3.put_object(Body=bodies[writer], IfMatch=etag, **place)

        assert winners(replace) == 1
        assert s3.get_object(**place)["Body"].read() in bodies
        etag = s3.head_object(**place)["ETag"]

        def put_or_delete(writer: int, place: dict[str, str] = place, etag: str = etag) -> None:
            if writer % 2:
                s3.put_object(Body=b"again", IfMatch=etag, **place)
            else:
                s3.delete_object(IfMatch=etag, **place)

        try:
            assert winners(put_or_delete) >= 1  # deleting what is deleted already is a success
        except ClientError as error:  # a put after the delete finds no object to match
            assert error.response["Error"]["Code"] == "NoSuchKey"  # noqa: PT017


def test_one_of_parallel_completions_wins(s3: Any) -> None:
    bucket = new_bucket(s3)
    for number in range(6):
        place = {"Bucket": bucket, "Key": f"key-{number}"}
        uploads = []
        for writer in range(8):
            upload = s3.create_multipart_upload(**place)["UploadId"]
            part = {"UploadId": upload, "PartNumber": 1, "Body": f"writer {writer}".encode()}
            uploads.append((upload, {"Parts": [{"PartNumber": 1, "ETag": s3.upload_part(**part, **place)["ETag"]}]}))

        def complete(writer: int, place: dict[str, str] = place, uploads: list[Any] = uploads) -> None:
            upload, parts = uploads[writer]
            s3.complete_multipart_upload(UploadId=upload, MultipartUpload=parts, IfNoneMatch="*", **place)

        assert winners(complete) == 1
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 6
    assert len(s3.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 6 * 7


def test_versions_and_delete_markers(s3: Any) -> None:
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket=bucket, Key="k", Body=str(number).encode())["VersionId"] for number in range(3)]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"before"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=versions[1])["Body"].read() == b"1"
    deleted = s3.delete_object(Bucket=bucket, Key="k")
    assert deleted["DeleteMarker"]
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=bucket, Key="k")
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert error_code(s3.get_object, Bucket=bucket, Key="k", VersionId=deleted["VersionId"]) == "MethodNotAllowed"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    listed = s3.list_object_versions(Bucket=bucket)
    assert [entry["VersionId"] for entry in listed["Versions"]] == [*reversed(versions), "null"]
    assert [entry["IsLatest"] for entry in listed["DeleteMarkers"]] == [True]
    assert s3.delete_object(Bucket=bucket, Key="k", VersionId=deleted["VersionId"])["DeleteMarker"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=versions[2])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"suspended")["VersionId"] == "null"
    assert [entry["VersionId"] for entry in s3.list_object_versions(Bucket=bucket)["Versions"]] == [
        "null",
        versions[1],
        versions[0],
    ]
    assert error_code(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"
    assert error_code(s3.get_object, Bucket=bucket, Key="k", VersionId="none") == "NoSuchVersion"


def test_copies(s3: Any) -> None:
    bucket, other = new_bucket(s3), new_bucket(s3)
    s3.put_object(
        Bucket=bucket, Key="a b+ü", Body=b"x" * 100_000, Metadata={"m": "1"}, Tagging="t=1", ContentType="a/b"
    )
    source = {"Bucket": bucket, "Key": "a b+ü"}
    s3.copy_object(Bucket=other, Key="copy", CopySource=source)
    head = s3.head_object(Bucket=other, Key="copy")
    assert (head["Metadata"], head["ContentType"], head["ContentLength"]) == ({"m": "1"}, "a/b", 100_000)
    assert s3.get_object_tagging(Bucket=other, Key="copy")["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.delete_object(**source)
    assert s3.get_object(Bucket=other, Key="copy")["Body"].read() == b"x" * 100_000
    mine = {"Bucket": other, "Key": "copy"}
    assert error_code(s3.copy_object, CopySource=mine, **mine) == "InvalidRequest"
    s3.copy_object(
        CopySource=mine, MetadataDirective="REPLACE", Metadata={"n": "2"}, TaggingDirective="REPLACE", **mine
    )
    assert s3.head_object(**mine)["Metadata"] == {"n": "2"}
    assert s3.get_object_tagging(**mine)["TagSet"] == []
    assert s3.get_object(**mine)["Body"].read() == b"x" * 100_000
    assert error_code(s3.copy_object, Bucket=other, Key="c", CopySource=source) == "NoSuchKey"
    assert (
        error_code(s3.copy_object, Bucket=other, Key="c", CopySource=mine, CopySourceIfMatch="no")
        == "PreconditionFailed"
    )
    assert error_code(
        s3.copy_object, Bucket=other, Key="copy", CopySource=mine, IfNoneMatch="*", MetadataDirective="REPLACE"
    ) == ("PreconditionFailed")
    sha = s3.copy_object(Bucket=other, Key="sha", CopySource=mine, ChecksumAlgorithm="SHA256")["CopyObjectResult"]
    assert s3.get_object(Bucket=other, Key="sha", ChecksumMode="ENABLED")["ChecksumSHA256"] == sha["ChecksumSHA256"]


def test_many_deletes_in_one_request(cloud: Any, s3: Any) -> None:
    bucket = new_bucket(s3)
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=f"k<{number}>", Body=b"x")
    objects = [{"Key": f"k<{number}>"} for number in range(4)] + [{"Key": "missing"}]
    assert len(s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})["Deleted"]) == 5
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k<4>"]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k<4>"}], "Quiet": True})
    assert "Deleted" not in quiet
    status, code, _ = send(cloud, "POST", f"/{bucket}?delete", b"<Delete><Object><Key>k</Key></Object></Delete>")
    assert (status, code) == (400, "InvalidRequest")


def test_tags_acl_retention_and_attributes(s3: Any) -> None:
    bucket = new_bucket(s3, ObjectLockEnabledForBucket=True)
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x", ChecksumAlgorithm="SHA1")["VersionId"]
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags
    assert s3.head_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPHeaders"]["x-amz-tagging-count"] == "2"
    eleven = [{"Key": str(number), "Value": ""} for number in range(11)]
    assert error_code(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging={"TagSet": eleven}) == "BadRequest"
    assert error_code(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging={"TagSet": tags + tags}) == "InvalidTag"
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert s3.get_object_acl(Bucket=bucket, Key="k")["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert error_code(s3.put_object_acl, Bucket=bucket, Key="k", ACL="public-read") == "AccessControlListNotSupported"
    s3.put_object_legal_hold(Bucket=bucket, Key="k", LegalHold={"Status": "ON"})
    assert error_code(s3.delete_object, Bucket=bucket, Key="k", VersionId=version) == "AccessDenied"
    s3.put_object_legal_hold(Bucket=bucket, Key="k", LegalHold={"Status": "OFF"})
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": "2126-01-01T00:00:00Z"}
    s3.put_object_retention(Bucket=bucket, Key="k", Retention=retention)
    assert s3.get_object_retention(Bucket=bucket, Key="k")["Retention"]["Mode"] == "GOVERNANCE"
    assert error_code(s3.delete_object, Bucket=bucket, Key="k", VersionId=version) == "AccessDenied"
    attributes = s3.get_object_attributes(
        Bucket=bucket, Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"]
    )
    assert (attributes["ObjectSize"], attributes["StorageClass"]) == (1, "STANDARD")
    assert attributes["Checksum"]["ChecksumSHA1"]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version, BypassGovernanceRetention=True)
    assert error_code(s3.get_object, Bucket=bucket, Key="k") == "NoSuchKey"


def test_archives_are_restored(s3: Any) -> None:
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="GLACIER")
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["StorageClass"] == "GLACIER"
    assert error_code(s3.get_object, Bucket=bucket, Key="k") == "InvalidObjectState"
    s3.restore_object(Bucket=bucket, Key="k", RestoreRequest={"Days": 1})
    assert 'ongoing-request="false"' in s3.head_object(Bucket=bucket, Key="k")["Restore"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    assert error_code(s3.put_object, Bucket=bucket, Key="k", StorageClass="FAST") == "InvalidStorageClass"


def test_encryption_is_that_of_the_request_or_the_bucket(cloud: Any, s3: Any) -> None:
    bucket = new_bucket(s3)
    first, second = (cloud.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    put = s3.put_object(
        Bucket=bucket, Key="k", ServerSideEncryption="aws:kms", SSEKMSKeyId=first, BucketKeyEnabled=True
    )
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == ("aws:kms", first, True)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": second}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.head_object(Bucket=bucket, Key="k")["SSEKMSKeyId"] == second
    assert error_code(s3.put_object, Bucket=bucket, Key="k", SSEKMSKeyId=first) == "InvalidArgument"


def test_presigned_urls(cloud: Any) -> None:
    s3 = cloud.client("s3", config=ClientConfig(signature_version="s3v4", s3={"addressing_style": "path"}))
    bucket = new_bucket(s3)
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a b", "ContentType": "text/x"})
    request = urllib.request.Request(url, data=b"body", method="PUT", headers={"Content-Type": "text/x"})
    assert urllib.request.urlopen(request).status == 200
    params = {"Bucket": bucket, "Key": "a b", "ResponseContentDisposition": "attachment"}
    answer = urllib.request.urlopen(s3.generate_presigned_url("get_object", Params=params))
    assert (answer.read(), answer.headers["Content-Disposition"], answer.headers["Content-Type"]) == (
        b"body",
        "attachment",
        "text/x",
    )
