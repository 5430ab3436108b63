"""Multipart uploads of the local cloud's S3."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.support.s3_buckets import error_code, new_bucket

pytestmark = pytest.mark.stack
MIN_PART = 5 * 1024 * 1024
PARTS = [b"a" * MIN_PART, b"b" * (MIN_PART + 1), b"c"]


@pytest.fixture(scope="module")
def s3(cloud: Any) -> Any:
    return cloud.client("s3")


@pytest.fixture(scope="module")
def bucket(s3: Any) -> str:
    return new_bucket(s3)


def upload(s3: Any, bucket: str, key: str, parts: list[bytes], **options: Any) -> tuple[str, list[dict[str, Any]]]:
    """Uploads parts; returns the upload's id and the list that completes it."""
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key=key, **options)["UploadId"]
    listed = []
    algorithm = {"ChecksumAlgorithm": options["ChecksumAlgorithm"]} if "ChecksumAlgorithm" in options else {}
    for number, body in enumerate(parts, 1):
        place = {"Bucket": bucket, "Key": key, "UploadId": upload_id, "PartNumber": number}
        done = s3.upload_part(Body=body, **place, **algorithm)
        sums = {name: value for name, value in done.items() if name.startswith("Checksum")}
        listed.append({"PartNumber": number, "ETag": done["ETag"], **(sums if algorithm else {})})
    return upload_id, listed


def complete(s3: Any, bucket: str, key: str, upload_id: str, parts: list[dict[str, Any]], **options: Any) -> Any:
    """Completes an upload."""
    place = {"Bucket": bucket, "Key": key, "UploadId": upload_id}
    return s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **place, **options)


def test_an_object_of_parts(s3: Any, bucket: str) -> None:
    upload_id, parts = upload(s3, bucket, "k", PARTS, Metadata={"m": "1"}, ContentType="a/b", Tagging="t=1")
    assert error_code(s3.head_object, Bucket=bucket, Key="k") == "404"
    assert [part["Size"] for part in s3.list_parts(Bucket=bucket, Key="k", UploadId=upload_id)["Parts"]] == [
        len(body) for body in PARTS
    ]
    page = s3.list_parts(Bucket=bucket, Key="k", UploadId=upload_id, MaxParts=1, PartNumberMarker=1)
    assert (page["IsTruncated"], page["NextPartNumberMarker"]) == (True, 2)
    done = complete(s3, bucket, "k", upload_id, parts)
    digest = hashlib.md5(b"".join(hashlib.md5(body).digest() for body in PARTS)).hexdigest()
    assert done["ETag"] == f'"{digest}-3"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(PARTS)
    assert (got["Metadata"], got["ContentType"], got["TagCount"]) == ({"m": "1"}, "a/b", 1)
    second = s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (PARTS[1], 3)
    assert error_code(s3.get_object, Bucket=bucket, Key="k", PartNumber=4) == "InvalidPartNumber"
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts", "ObjectSize"])
    assert (attributes["ObjectParts"]["TotalPartsCount"], attributes["ObjectSize"]) == (3, sum(map(len, PARTS)))
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    assert s3.head_object(Bucket=bucket, Key="copy")["ETag"] == f'"{hashlib.md5(b"".join(PARTS)).hexdigest()}"'
    assert error_code(complete, s3, bucket, "k", upload_id, parts) == "NoSuchUpload"


def test_wrong_lists_of_parts(s3: Any, bucket: str) -> None:
    upload_id, parts = upload(s3, bucket, "wrong", [b"small", b"small too"])
    for wrong, code in (
        (parts, "EntityTooSmall"),
        (parts[::-1], "InvalidPartOrder"),
        ([parts[0], parts[0]], "InvalidPartOrder"),
        ([{"PartNumber": 1, "ETag": parts[1]["ETag"]}], "InvalidPart"),
        ([{"PartNumber": 7, "ETag": parts[1]["ETag"]}], "InvalidPart"),
        ([{"PartNumber": 1}], "MalformedXML"),
        ([], "MalformedXML"),
    ):
        assert error_code(complete, s3, bucket, "wrong", upload_id, wrong) == code
    assert error_code(complete, s3, bucket, "other-key", upload_id, parts) == "NoSuchUpload"
    place = {"Bucket": bucket, "Key": "wrong", "UploadId": upload_id}
    for number in (0, 10_001):
        assert error_code(s3.upload_part, PartNumber=number, Body=b"x", **place) == "InvalidArgument"
    assert error_code(complete, s3, bucket, "wrong", upload_id, parts[:1], MpuObjectSize=9) == "InvalidRequest"
    complete(s3, bucket, "wrong", upload_id, parts[1:])
    assert s3.get_object(Bucket=bucket, Key="wrong")["Body"].read() == b"small too"


def test_an_aborted_upload_is_gone(cloud: Any, s3: Any, bucket: str) -> None:
    before = sorted((cloud.state / "s3" / "bodies").glob("*/*"))
    upload_id, parts = upload(s3, bucket, "abort", [b"x", b"y"])
    s3.upload_part(Bucket=bucket, Key="abort", UploadId=upload_id, PartNumber=1, Body=b"replaced")
    assert error_code(complete, s3, bucket, "abort", upload_id, parts[:1]) == "InvalidPart"
    assert upload_id in [entry["UploadId"] for entry in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]]
    s3.abort_multipart_upload(Bucket=bucket, Key="abort", UploadId=upload_id)
    assert error_code(s3.abort_multipart_upload, Bucket=bucket, Key="abort", UploadId=upload_id) == "NoSuchUpload"
    assert error_code(complete, s3, bucket, "abort", upload_id, parts) == "NoSuchUpload"
    assert sorted((cloud.state / "s3" / "bodies").glob("*/*")) == before


def test_parts_copied_from_objects(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=PARTS[0] + PARTS[1])
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key="target")["UploadId"]
    place = {"Bucket": bucket, "Key": "target", "UploadId": upload_id, "CopySource": f"{bucket}/source"}
    first = s3.upload_part_copy(PartNumber=1, CopySourceRange=f"bytes=0-{MIN_PART - 1}", **place)["CopyPartResult"]
    second = s3.upload_part_copy(PartNumber=2, CopySourceRange=f"bytes={MIN_PART}-{MIN_PART}", **place)[
        "CopyPartResult"
    ]
    for wrong in ("bytes=0-99999999", "bytes=5-2", "0-5"):
        assert error_code(s3.upload_part_copy, PartNumber=3, CopySourceRange=wrong, **place) == "InvalidArgument"
    parts = [{"PartNumber": 1, "ETag": first["ETag"]}, {"PartNumber": 2, "ETag": second["ETag"]}]
    complete(s3, bucket, "target", upload_id, parts)
    assert s3.get_object(Bucket=bucket, Key="target")["Body"].read() == PARTS[0] + b"b"


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("CRC32", "COMPOSITE"), ("CRC32", "FULL_OBJECT"), ("SHA1", "COMPOSITE"), ("SHA256", "COMPOSITE")],
)
def test_checksums_of_parts(s3: Any, bucket: str, algorithm: str, kind: str) -> None:
    options = {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}
    upload_id, parts = upload(s3, bucket, algorithm + kind, PARTS, **options)
    done = complete(s3, bucket, algorithm + kind, upload_id, parts)
    head = s3.head_object(Bucket=bucket, Key=algorithm + kind, ChecksumMode="ENABLED")
    assert (head[f"Checksum{algorithm}"], head["ChecksumType"]) == (done[f"Checksum{algorithm}"], kind)
    assert head[f"Checksum{algorithm}"].endswith("-3") == (kind == "COMPOSITE")
    if kind == "FULL_OBJECT":
        s3.put_object(Bucket=bucket, Key="whole", Body=b"".join(PARTS), ChecksumAlgorithm=algorithm)
        whole = s3.head_object(Bucket=bucket, Key="whole", ChecksumMode="ENABLED")
        assert whole[f"Checksum{algorithm}"] == head[f"Checksum{algorithm}"]


def test_checksums_that_do_not_fit(s3: Any, bucket: str) -> None:
    place = {"Bucket": bucket, "Key": "unfit"}
    wrong = {"ChecksumAlgorithm": "SHA256", "ChecksumType": "FULL_OBJECT"}
    assert error_code(s3.create_multipart_upload, **wrong, **place) == "InvalidRequest"
    upload_id, parts = upload(s3, bucket, "unfit", [b"x"], ChecksumAlgorithm="SHA256")
    other = {"UploadId": upload_id, "PartNumber": 2, "Body": b"y", "ChecksumAlgorithm": "SHA1"}
    assert error_code(s3.upload_part, **other, **place) == "InvalidRequest"
    bare = [{name: part[name] for name in ("PartNumber", "ETag")} for part in parts]
    assert error_code(complete, s3, bucket, "unfit", upload_id, bare) == "InvalidRequest"


def test_uploads_are_listed_in_pages(s3: Any) -> None:
    bucket = new_bucket(s3)
    for key in ("a/1", "a/1", "a/2", "b"):
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    found: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=1, **marker)
        found += [entry["Key"] for entry in page.get("Uploads", [])]
        if not page["IsTruncated"]:
            break
        marker = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert found == ["a/1", "a/1", "a/2", "b"]
    grouped = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert ([entry["Prefix"] for entry in grouped["CommonPrefixes"]], len(grouped["Uploads"])) == (["a/"], 1)
