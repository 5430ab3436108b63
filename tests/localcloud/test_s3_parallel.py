"""Requests to S3 do not wait for each other, and no body is held in memory."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import psutil
import pytest
from botocore.config import Config as ClientConfig

from tests.support.s3_buckets import new_bucket

pytestmark = pytest.mark.stack
MIB = 1024 * 1024
SIZE = 200 * MIB


class SlowPut:
    """A put that has sent its headers and half of its body, and goes on when it is told to."""

    def __init__(self, cloud: Any, s3: Any, bucket: str, key: str) -> None:
        url = urlparse(s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key}))
        host = urlparse(cloud.endpoint)
        self._connection = socket.create_connection((host.hostname or "", host.port or 0))
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Length: {2 * MIB}\r\n\r\n"
        self._connection.sendall(head.encode() + b"x" * MIB)

    def finish(self) -> bytes:
        """Sends the rest; returns the answer."""
        self._connection.sendall(b"x" * MIB)
        answer = self._connection.recv(10_000)
        self._connection.close()
        return answer


def test_a_put_that_is_being_received_blocks_nobody(cloud: Any) -> None:
    s3 = cloud.client("s3", config=ClientConfig(signature_version="s3v4", s3={"addressing_style": "path"}))
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="there", Body=b"body")
    slow = [SlowPut(cloud, s3, bucket, f"slow-{number}") for number in range(4)]
    assert s3.head_object(Bucket=bucket, Key="there")["ContentLength"] == 4
    assert s3.get_object(Bucket=bucket, Key="there")["Body"].read() == b"body"
    s3.put_object(Bucket=bucket, Key="other", Body=b"x")
    s3.put_object(Bucket=bucket, Key="slow-0", Body=b"first")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["other", "slow-0", "there"]
    assert all(put.finish().startswith(b"HTTP/1.1 200") for put in slow)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 6
    assert s3.head_object(Bucket=bucket, Key="slow-0")["ContentLength"] == 2 * MIB


def test_a_reader_keeps_the_body_that_it_opened(cloud: Any) -> None:
    s3 = cloud.client("s3")
    bucket = new_bucket(s3)
    body = b"old" * (4 * MIB)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    reading = s3.get_object(Bucket=bucket, Key="k")["Body"]
    first = reading.read(MIB)
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    s3.delete_object(Bucket=bucket, Key="k")
    assert first + reading.read() == body


def test_readers_see_whole_objects_while_writers_replace_them(cloud: Any) -> None:
    s3 = cloud.client("s3", config=ClientConfig(max_pool_connections=16, s3={"addressing_style": "path"}))
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="k", Body=b"0" * 300_000)
    ended = threading.Event()

    def write(writer: int) -> None:
        for turn in range(25):
            s3.put_object(Bucket=bucket, Key="k", Body=str((writer + turn) % 10).encode() * 300_000)

    def read(_: int) -> int:
        count = 0
        while not ended.is_set():
            assert len(set(s3.get_object(Bucket=bucket, Key="k")["Body"].read())) == 1
            count += 1
        return count

    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read, number) for number in range(4)]
        for writer in [pool.submit(write, number) for number in range(4)]:
            writer.result()
        ended.set()
        assert all(reader.result() for reader in readers)


def test_a_big_object_is_not_held_in_memory(start_cloud: Callable[..., Any], tmp_path: Path) -> None:
    cloud = start_cloud()
    s3 = cloud.client("s3", config=ClientConfig(request_checksum_calculation="when_required", read_timeout=300))
    bucket = new_bucket(s3)
    file = tmp_path / "big"
    with file.open("wb") as big:
        for number in range(SIZE // MIB):
            big.write(bytes([number % 256]) * MIB)
    s3.put_object(Bucket=bucket, Key="small", Body=b"x")
    process = psutil.Process(cloud.process.pid)
    before = process.memory_info().rss
    with file.open("rb") as body:
        s3.put_object(Bucket=bucket, Key="big", Body=body)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/big")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    place = {"Bucket": bucket, "Key": "parts", "UploadId": upload}
    with file.open("rb") as body:
        etag = s3.upload_part(PartNumber=1, Body=body, **place)["ETag"]
    s3.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}, **place)
    for key in ("big", "copy", "parts"):
        got = s3.get_object(Bucket=bucket, Key=key)["Body"]
        assert sum(len(block) for block in got.iter_chunks(MIB)) == SIZE
    high = int(
        next(line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "VmHWM" in line).split()[
            1
        ]
    )
    assert high * 1024 - before < 0.1 * SIZE
