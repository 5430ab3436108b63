"""Objects that Athena keeps: read again without their bodies, never stale, bounded, and only with permission."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.localcloud.athena.errors import QueryError
from infra.localcloud.athena.objects import Fetcher, File, ObjectCache
from tests.support.athena import Athena
from tests.support.localcloud import Cloud

BUCKET = "athena-cache"


@pytest.fixture(scope="module")
def athena(cloud: Cloud) -> Athena:
    found = Athena(cloud, BUCKET)
    found.table("kept", "a string", "ROW FORMAT DELIMITED")
    return found


def reads(athena: Athena, before: int) -> list[int]:
    """The statuses of GetObject requests below the table since then."""
    return [
        line["status"]
        for line in athena.cloud.requests()[before:]
        if line["action"] == "GetObject" and "kept/" in str(line["resource"])
    ]


@pytest.mark.stack
def test_an_object_that_did_not_change_is_asked_for_and_not_sent_again(athena: Athena) -> None:
    athena.put("kept/0", "first\n")
    assert athena.rows("SELECT * FROM kept") == [["first"]]
    before = len(athena.cloud.requests())
    assert athena.rows("SELECT * FROM kept") == [["first"]]
    assert reads(athena, before) == [304]


@pytest.mark.stack
def test_a_changed_object_is_read_anew(athena: Athena) -> None:
    athena.put("kept/0", "first\n")
    assert athena.rows("SELECT * FROM kept") == [["first"]]
    athena.put("kept/0", "other\n")
    assert athena.rows("SELECT * FROM kept") == [["other"]]
    athena.s3.delete_object(Bucket=BUCKET, Key="kept/0")
    assert athena.rows("SELECT * FROM kept") == []


def test_the_objects_that_were_not_used_for_longest_are_evicted(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path / "objects", limit=250)
    paths = [cache.path("bucket", f"key{number}", '"etag"') for number in range(3)]
    for age, path in zip((10, 30, 20), paths, strict=True):
        cache.put(path, [b"x" * 100])
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    linked = tmp_path / "linked"
    assert cache.take(paths[1], linked)  # a use makes it the newest one
    cache.evict()
    assert [path.exists() for path in paths] == [True, True, False]
    cache = ObjectCache(tmp_path / "objects", limit=0)
    cache.evict()
    assert linked.read_bytes() == b"x" * 100
    assert not cache.take(paths[0], tmp_path / "nothing")


def test_a_kept_object_is_not_read_without_permission(tmp_path: Path) -> None:
    """Every use asks S3; the answer to a caller who may not read is an error, though the body is there."""
    body = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    asked: list[str | None] = []

    class Denying(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["If-None-Match"])
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Denying)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cache = ObjectCache(tmp_path / "objects")
    file = File("bucket", "key", 4, '"etag"')
    cache.put(cache.path(file.bucket, file.key, file.etag), [b"body"])
    options = {
        "endpoint_url": f"http://127.0.0.1:{server.server_port}",
        "region_name": "us-east-1",
        "aws_access_key_id": "AKIATEST",
        "aws_secret_access_key": "test",
        "aws_session_token": None,
    }
    try:
        with pytest.raises(QueryError, match=r"PERMISSION_DENIED: .*s3://bucket/key .*AccessDenied"):
            Fetcher(options, cache).fetch([(file, tmp_path / "work" / "0")], lambda: None)
    finally:
        server.shutdown()
        server.server_close()
    assert asked == ['"etag"'] and not (tmp_path / "work" / "0").exists()


def test_versions_of_an_object_are_kept_apart(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path / "objects")
    assert len({cache.path("b", "k", '"1"'), cache.path("b", "k", '"2"'), cache.path("b/k", "", '"1"')}) == 3


def test_a_part_of_an_object_is_never_kept(tmp_path: Path) -> None:
    def broken() -> object:
        yield b"half"
        raise ConnectionError

    cache = ObjectCache(tmp_path / "objects")
    path = cache.path("b", "k", '"1"')
    with pytest.raises(ConnectionError):
        cache.put(path, broken())  # type: ignore[arg-type]
    assert not path.exists() and list((tmp_path / "objects").rglob("*.part")) == []
