"""Objects in S3: write-once puts, checksums, JSON documents."""

from __future__ import annotations

import pytest
from nightjar.objects import ObjectStoreHook

from tests.support.moto_cloud import LAKE, MotoCloud

pytestmark = pytest.mark.stack


def test_an_object_that_is_put_once_is_never_overwritten(cloud: MotoCloud) -> None:
    objects = ObjectStoreHook()
    assert objects.put_once(LAKE, "raw/x", b"first")
    assert not objects.put_once(LAKE, "raw/x", b"second")
    assert objects.open(LAKE, "raw/x").read() == b"first"


def test_checksums_and_metadata_are_returned_in_the_order_of_the_keys(cloud: MotoCloud) -> None:
    objects = ObjectStoreHook()
    for name in ("b", "a"):
        objects.put_once(LAKE, name, name.encode(), {"name": name})
    stored = objects.stored(LAKE, ["b", "a"])
    assert [(key, found.metadata) for key, found in stored.items()] == [("b", {"name": "b"}), ("a", {"name": "a"})]
    assert stored["a"].sha256 == "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="


def test_an_object_without_a_checksum_is_named(cloud: MotoCloud) -> None:
    cloud.client("s3").put_object(Bucket=LAKE, Key="strange", Body=b"x", ChecksumAlgorithm="CRC32")
    with pytest.raises(ValueError, match="strange has no SHA-256"):
        ObjectStoreHook().stored(LAKE, ["strange"])


def test_a_document_is_json_or_does_not_exist(cloud: MotoCloud) -> None:
    objects = ObjectStoreHook()
    assert objects.get_json(LAKE, "x") is None
    objects.put(LAKE, "x", b'{"a": 1}')
    assert objects.get_json(LAKE, "x") == {"a": 1}
    objects.put(LAKE, "x", b"{")
    with pytest.raises(ValueError, match=f"s3://{LAKE}/x is not JSON"):
        objects.get_json(LAKE, "x")


def test_folders_are_listed_one_level_deep(cloud: MotoCloud) -> None:
    objects = ObjectStoreHook()
    for key in ("a/x=2/1", "a/x=1/1", "a/x=1/2/3", "a/file", "b/x=3/1"):
        objects.put(LAKE, key, b"")
    assert list(objects.folders(LAKE, "a/")) == ["a/x=1/", "a/x=2/"]
    assert list(objects.folders(LAKE, "c/")) == []
