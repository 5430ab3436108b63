from __future__ import annotations

from pathlib import Path

import pytest

from infra.laptop.free_ports import free_port
from serving.source import SourceError, SourceUnavailableError, fetch
from tests.support.moto_cloud import ARTIFACT, MotoCloud


@pytest.mark.stack
@pytest.mark.parametrize("key", ["jobs/a b/bundle.tar.gz", "jobs/a?b#c/bundle.tar.gz"])
def test_from_s3(cloud: MotoCloud, tmp_path: Path, key: str):
    cloud.client("s3").put_object(Bucket=ARTIFACT, Key=key, Body=b"content")
    assert fetch(f"s3://{ARTIFACT}/{key}", tmp_path / "copy").read_bytes() == b"content"


@pytest.mark.stack
@pytest.mark.usefixtures("cloud")
def test_a_missing_object_is_named(tmp_path: Path):
    with pytest.raises(SourceError, match=rf"s3://{ARTIFACT}/none cannot be fetched: .*NoSuchKey") as raised:
        fetch(f"s3://{ARTIFACT}/none", tmp_path / "copy")
    assert not isinstance(raised.value, SourceUnavailableError)


def test_an_s3_that_does_not_answer_is_no_fault_of_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    with pytest.raises(SourceUnavailableError, match="cannot be fetched: Could not connect"):
        fetch("s3://artifact/bundle.tar.gz", tmp_path / "copy")


def test_from_a_file(tmp_path: Path):
    path = tmp_path / "a bundle.tar.gz"
    path.write_bytes(b"content")
    assert fetch(path.as_uri(), tmp_path / "copy").read_bytes() == b"content"
    with pytest.raises(SourceError, match="cannot be read: Is a directory"):
        fetch(tmp_path.as_uri(), tmp_path / "copy")


def test_a_bundle_that_is_too_large(tmp_path: Path):
    path = tmp_path / "bundle.tar.gz"
    path.write_bytes(b"x" * 11)
    with pytest.raises(SourceError, match="larger than 10 bytes"):
        fetch(path.as_uri(), tmp_path / "copy", max_bytes=10)
