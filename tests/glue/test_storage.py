from __future__ import annotations

from pathlib import Path

import pytest

from include.glue.storage import list_uris, object_uri, read_json, under, write_bytes, write_json


def test_documents_go_out_and_come_back(tmp_path: Path) -> None:
    uri = under(f"file://{tmp_path}/event_date=2013-03-01/", "a.json")
    write_json(uri, {"a": 1})
    write_bytes(under(f"file://{tmp_path}", "b.txt"), b"b")
    assert read_json(uri) == {"a": 1}
    assert list(list_uris(f"file://{tmp_path}", ".json")) == [uri]
    assert list(list_uris(f"file://{tmp_path}/none", ".json")) == []


def test_a_document_that_is_not_json_is_named(tmp_path: Path) -> None:
    write_bytes(f"file://{tmp_path}/x.json", b"{")
    with pytest.raises(ValueError, match=r"x\.json is not JSON"):
        read_json(f"file://{tmp_path}/x.json")


def test_objects_have_the_scheme_of_their_neighbour() -> None:
    assert object_uri("s3://artifact/inputs/x.json", "lake", "raw/a") == "s3://lake/raw/a"
    assert object_uri("file:///tmp/x.json", "/tmp/lake/", "raw/a") == "file:///tmp/lake/raw/a"
    with pytest.raises(ValueError, match="s3:// or a file:// URI"):
        object_uri("/tmp/x.json", "lake", "raw/a")
