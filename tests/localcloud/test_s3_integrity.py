"""What S3 checks of a body while it is received: nothing of a refused body is stored."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import socket
import zlib
from typing import Any
from urllib.parse import urlparse

import pytest
from botocore.config import Config

from infra.localcloud.s3 import checksums, crc
from tests.support.s3_buckets import error_code, new_bucket, send

BODY = b"the body" * 1000


def base64_of(value: bytes) -> str:
    return base64.b64encode(value).decode()


def checksum(algorithm: str, data: bytes) -> str:
    made = checksums.start(algorithm)
    made.update(data)
    return checksums.text(made.digest())


def test_crcs_of_the_catalogue() -> None:
    assert crc.crc32c().update(0, b"123456789") == 0xE3069283
    assert crc.crc64nvme().update(0, b"123456789") == 0xAE8B14860A799888


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 300_001])
def test_long_blocks_have_the_same_crc(size: int) -> None:
    data = os.urandom(size)
    assert crc.crc32().update(0, data) == zlib.crc32(data)
    for made in (crc.crc32c(), crc.crc64nvme()):
        short = 0
        for start in range(0, size, 1000):
            short = made.update(short, data[start : start + 1000])
        assert made.update(0, data) == short
        half = size // 3
        first, second = made.update(0, data[:half]), made.update(0, data[half:])
        assert made.combine(first, second, size - half) == short


@pytest.fixture(scope="module")
def s3(cloud: Any) -> Any:
    return cloud.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))


@pytest.fixture(scope="module")
def bucket(s3: Any) -> str:
    return new_bucket(s3)


WRONG = [
    ("BadDigest", {"Content-MD5": base64_of(hashlib.md5(b"other").digest())}),
    ("InvalidDigest", {"Content-MD5": "no base64"}),
    ("InvalidDigest", {"Content-MD5": base64_of(b"short")}),
    ("XAmzContentSHA256Mismatch", {"x-amz-content-sha256": hashlib.sha256(b"other").hexdigest()}),
    ("InvalidRequest", {"x-amz-checksum-crc32": "wrong"}),
    ("InvalidRequest", {"x-amz-sdk-checksum-algorithm": "CRC32"}),
    (
        "InvalidRequest",
        {"x-amz-checksum-crc32": checksum("CRC32", BODY), "x-amz-checksum-sha1": checksum("SHA1", BODY)},
    ),
    *(("BadDigest", {f"x-amz-checksum-{name.lower()}": checksum(name, b"other")}) for name in checksums.SIZES),
]


@pytest.mark.stack
@pytest.mark.parametrize(("code", "headers"), WRONG)
def test_a_wrong_body_is_refused(cloud: Any, s3: Any, bucket: str, code: str, headers: dict[str, str]) -> None:
    assert send(cloud, "PUT", f"/{bucket}/wrong", BODY, headers)[:2] == (400, code)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="wrong")["UploadId"]
    assert send(cloud, "PUT", f"/{bucket}/wrong?partNumber=1&uploadId={upload}", BODY, headers)[:2] == (400, code)
    assert "Parts" not in s3.list_parts(Bucket=bucket, Key="wrong", UploadId=upload)
    assert error_code(s3.head_object, Bucket=bucket, Key="wrong") == "404"


@pytest.mark.stack
@pytest.mark.parametrize("algorithm", sorted(checksums.SIZES))
def test_a_right_checksum_is_kept_and_returned(cloud: Any, s3: Any, bucket: str, algorithm: str) -> None:
    header, value = f"x-amz-checksum-{algorithm.lower()}", checksum(algorithm, BODY)
    md5 = {"Content-MD5": base64_of(hashlib.md5(BODY).digest())}
    assert send(cloud, "PUT", f"/{bucket}/{algorithm}", BODY, {header: value, **md5})[0] == 200
    got = s3.get_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")
    assert (got[f"Checksum{algorithm}"], got["ChecksumType"], got["Body"].read()) == (value, "FULL_OBJECT", BODY)


def chunks(body: bytes, trailer: str, *, signed: bool) -> bytes:
    mark = ";chunk-signature=" + "0" * 64 if signed else ""
    middle = len(body) // 2
    parts = [b"%x%b\r\n%b\r\n" % (len(part), mark.encode(), part) for part in (body[:middle], body[middle:])]
    return b"".join([*parts, b"0" + mark.encode() + b"\r\n", trailer.encode(), b"\r\n"])


@pytest.mark.stack
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("algorithm", ["", "CRC32", "CRC64NVME", "SHA256"])
def test_chunked_bodies_and_their_trailers(cloud: Any, s3: Any, bucket: str, signed: bool, algorithm: str) -> None:
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if algorithm else "")
    headers = {
        "x-amz-content-sha256": kind if signed else "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(BODY)),
        "Content-Encoding": "aws-chunked,gzip",
    }
    name = f"x-amz-checksum-{algorithm.lower()}"
    trailers = (
        {value: f"{name}:{value}\r\n" for value in (checksum(algorithm, BODY), checksum(algorithm, b"other"))}
        if (algorithm)
        else {"": ""}
    )
    headers |= {"x-amz-trailer": name} if algorithm else {}
    path = f"/{bucket}/chunked-{signed}-{algorithm}"
    statuses = [send(cloud, "PUT", path, chunks(BODY, text, signed=signed), headers)[:2] for text in trailers.values()]
    assert statuses == [(200, ""), (400, "BadDigest")][: len(trailers)]
    got = s3.get_object(Bucket=bucket, Key=path.rpartition("/")[2])
    assert (got["Body"].read(), got["ContentEncoding"]) == (BODY, "gzip")
    for wrong in (
        {**headers, "x-amz-decoded-content-length": "5"},
        {**headers, "x-amz-decoded-content-length": str(len(BODY) + 1)},
    ):
        text = next(iter(trailers.values()))
        assert send(cloud, "PUT", path, chunks(BODY, text, signed=signed), wrong)[:2] == (400, "IncompleteBody")
    cut = chunks(BODY, "", signed=signed)[:-600]
    assert send(cloud, "PUT", path, cut, headers)[:2] == (400, "IncompleteBody")


@pytest.mark.stack
def test_an_incomplete_body_stores_nothing(cloud: Any, s3: Any, bucket: str) -> None:
    before = sorted((cloud.state / "s3" / "bodies").glob("*/*"))
    host = urlparse(cloud.endpoint)
    url = urlparse(s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "cut"}))
    with socket.create_connection((host.hostname or "", host.port or 0)) as connection:
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 500)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(10_000)
    assert b"IncompleteBody" in answer
    assert error_code(s3.head_object, Bucket=bucket, Key="cut") == "404"
    assert sorted((cloud.state / "s3" / "bodies").glob("*/*")) == before


@pytest.mark.stack
def test_a_put_without_a_length_is_refused(cloud: Any, s3: Any, bucket: str) -> None:
    url = urlparse(s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "lengthless"}))
    connection = http.client.HTTPConnection(urlparse(cloud.endpoint).netloc, timeout=60)
    connection.request("PUT", f"{url.path}?{url.query}", body=iter([b"x"]), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})  # fmt: skip
    answer = connection.getresponse()
    assert (answer.status, b"MissingContentLength" in answer.read()) == (411, True)
    connection.close()
