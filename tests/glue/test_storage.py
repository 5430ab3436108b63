"""Documents at file:// and s3:// URIs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from include.glue import storage
from include.glue.errors import GlueJobError
from include.glue.storage import (
    find_json,
    join_uri,
    list_uris,
    object_uri,
    open_file,
    read_json,
    write_bytes,
    write_json,
)
from tests.support.moto_cloud import LAKE, MotoCloud, cloud, moto_server

__all__ = ["cloud", "moto_server"]


def test_documents_are_read_as_they_were_written(tmp_path: Path) -> None:
    uri = join_uri(f"file://{tmp_path}/event_date=2013-03-01/", "a.json")
    write_json(uri, {"a": 1})
    write_bytes(join_uri(f"file://{tmp_path}", "b.txt"), b"b")
    assert read_json(uri) == {"a": 1}
    assert list(list_uris(f"file://{tmp_path}", ".json")) == [uri]
    assert list(list_uris(f"file://{tmp_path}/none", ".json")) == []


def test_a_document_that_is_not_json_is_named(tmp_path: Path) -> None:
    write_bytes(f"file://{tmp_path}/x.json", b"{")
    with pytest.raises(GlueJobError, match=r"x\.json is not JSON"):
        read_json(f"file://{tmp_path}/x.json")


def test_an_objects_uri_has_the_scheme_of_its_sibling() -> None:
    assert object_uri("s3://artifact/inputs/x.json", "lake", "raw/a") == "s3://lake/raw/a"
    assert object_uri("file:///tmp/x.json", "/tmp/lake/", "raw/a") == "file:///tmp/lake/raw/a"
    with pytest.raises(GlueJobError, match="s3:// or a file:// URI"):
        object_uri("/tmp/x.json", "lake", "raw/a")


def test_a_path_may_contain_characters_that_urls_reserve(tmp_path: Path) -> None:
    uri = join_uri(f"file://{tmp_path}", "a?b#c.json")
    write_json(uri, 1)
    assert (tmp_path / "a?b#c.json").is_file() and read_json(uri) == 1


def test_a_document_may_be_missing(tmp_path: Path) -> None:
    write_json(f"file://{tmp_path}/x.json", {"a": 1})
    assert find_json(f"file://{tmp_path}/x.json") == {"a": 1}
    assert find_json(f"file://{tmp_path}/none.json") is None


@pytest.mark.stack
def test_a_document_may_be_missing_in_s3_and_a_bucket_may_not(cloud: MotoCloud) -> None:
    storage.s3_client.cache_clear()
    write_json(f"s3://{LAKE}/x.json", {"a": 1})
    assert find_json(f"s3://{LAKE}/x.json") == {"a": 1}
    assert find_json(f"s3://{LAKE}/none.json") is None
    with pytest.raises(ClientError, match="NoSuchBucket"):
        find_json("s3://nj-none/x.json")
    storage.s3_client.cache_clear()


@pytest.mark.stack
@pytest.mark.parametrize("size", [1_000, 40 * 1024**2])
def test_an_object_in_s3_is_read_from_any_position(cloud: MotoCloud, size: int) -> None:
    """A large one is a temporary file meanwhile."""
    storage.s3_client.cache_clear()
    content = bytes(range(250)) * (size // 250)
    write_bytes(f"s3://{LAKE}/rows.parquet", content)
    with open_file(f"s3://{LAKE}/rows.parquet") as found:
        found.seek(-100, os.SEEK_END)
        assert found.read() == content[-100:]
        found.seek(0)
        assert found.read() == content
    with pytest.raises(ClientError, match="NoSuchKey"):
        open_file(f"s3://{LAKE}/none.parquet")
    storage.s3_client.cache_clear()
