from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from serving.source import SourceError, fetch


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    boto3.client("s3").create_bucket(Bucket="artifacts")
    yield "artifacts"
    server.stop()


@pytest.mark.stack
def test_from_s3(bucket: str, tmp_path):
    boto3.client("s3").put_object(Bucket=bucket, Key="jobs/a b/bundle.tar.gz", Body=b"content")
    assert fetch(f"s3://{bucket}/jobs/a b/bundle.tar.gz", tmp_path / "copy").read_bytes() == b"content"
    with pytest.raises(SourceError, match=r"s3://artifacts/none cannot be fetched: .*NoSuchKey"):
        fetch(f"s3://{bucket}/none", tmp_path / "copy")


def test_from_a_file(tmp_path):
    path = tmp_path / "a bundle.tar.gz"
    path.write_bytes(b"content")
    assert fetch(path.as_uri(), tmp_path / "copy").read_bytes() == b"content"
    with pytest.raises(SourceError, match="cannot be read: Is a directory"):
        fetch(tmp_path.as_uri(), tmp_path / "copy")


def test_one_that_is_too_large(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("serving.source.MAX_BUNDLE_BYTES", 10)
    path = tmp_path / "bundle.tar.gz"
    path.write_bytes(b"x" * 11)
    with pytest.raises(SourceError, match="larger than 10 bytes"):
        fetch(path.as_uri(), tmp_path / "copy")
