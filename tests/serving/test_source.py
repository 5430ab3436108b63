from __future__ import annotations

from collections.abc import Callable

import pytest

from serving.source import SourceError, fetch


@pytest.fixture
def bucket(client: Callable) -> str:
    client("s3").create_bucket(Bucket="artifacts")
    return "artifacts"


@pytest.mark.stack
def test_from_s3(client: Callable, bucket: str, tmp_path):
    client("s3").put_object(Bucket=bucket, Key="jobs/a b/bundle.tar.gz", Body=b"content")
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
