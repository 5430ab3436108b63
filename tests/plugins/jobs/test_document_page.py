"""The laptop's pages of documents: what the link of a task opens, and what is never shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from infra.laptop.free_ports import free_port
from tests.support.dag_files import platform_settings
from tests.support.job_pages import HOSTILE, Page, get, pages

pytestmark = pytest.mark.stack

BUCKET = "nj-artifact"


@pytest.fixture(autouse=True)
def laptop(aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bucket with documents, and the operator's key."""
    key = tmp_path / "operator.json"
    key.write_text('{"access_key_id": "a", "secret_access_key": "b"}')
    monkeypatch.setenv("AIRFLOW__NIGHTJAR__OPERATOR_KEY_FILE", str(key))
    for bucket in (BUCKET, "nj-raw"):
        aws("s3").create_bucket(Bucket=bucket)
    with platform_settings():
        yield


def put(aws: Any, key: str, text: str, bucket: str = BUCKET) -> None:
    aws("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())


def open_document(key: str, bucket: str = BUCKET, login: bool = True) -> httpx.Response:
    path = quote(key).replace("/./", "/%2E/").replace("/../", "/%2E%2E/")  # httpx would resolve them
    with pages(login) as app:
        return get(app, f"/objects/{bucket}/{path}")


def test_a_page_is_shown_as_it_is_without_scripts_and_as_if_from_a_foreign_origin(aws: Any) -> None:
    put(aws, "data-docs/flights/k/index.html", f"<p>{HOSTILE}</p>")
    answer = open_document("data-docs/flights/k/index.html")
    assert answer.status_code == 200 and answer.text == f"<p>{HOSTILE}</p>"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = {part.split()[0]: part.split()[1:] for part in answer.headers["content-security-policy"].split(";")}
    assert policy["default-src"] == ["'none'"] and policy["sandbox"] == ["allow-popups"] and "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_json_is_shown_as_text(aws: Any) -> None:
    put(aws, "decisions/flights/k.json", json.dumps({"reasons": [HOSTILE]}))
    page = Page(open_document("decisions/flights/k.json"))
    assert page.status == 200 and json.dumps(HOSTILE) in page.text
    put(aws, "decisions/flights/broken.json", HOSTILE)
    assert HOSTILE in Page(open_document("decisions/flights/broken.json")).text


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("nj-raw", "data-docs/a.html"),
        (BUCKET, "code/secret.json"),
        (BUCKET, "data-docs/../code/secret.json"),
        (BUCKET, "data-docs//a.html"),
        (BUCKET, "data-docs/./a.html"),
        (BUCKET, "data-docs\\..\\a.html"),
        (BUCKET, "data-docs/a\n.html"),
        (BUCKET, "data-docs/a.html/"),
        (BUCKET, "jobs/flights/model.tar.gz"),
        (BUCKET, "data-docs/absent.html"),
        (HOSTILE, "data-docs/a.html"),
    ],
)
def test_nothing_else_is_shown(aws: Any, bucket: str, key: str) -> None:
    for existing in ("code/secret.json", "data-docs/a.html", "jobs/flights/model.tar.gz"):
        put(aws, existing, "secret")
    put(aws, "data-docs/a.html", "secret", "nj-raw")
    answer = open_document(key, quote(bucket, safe=""))
    assert answer.status_code == 404 and "secret" not in answer.text.replace("code/secret", "")


def test_a_document_that_is_too_large_is_refused(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(aws, "data-docs/a.html", "0123456789")
    with pages() as app:
        from nightjar_laptop import object_reader  # type: ignore[import-not-found]  # on the path of these pages only

        monkeypatch.setattr(object_reader, "LARGEST", 9)
        assert get(app, f"/objects/{BUCKET}/data-docs/a.html").status_code == 413


def test_a_cloud_that_does_not_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    page = Page(open_document("data-docs/a.html"))
    assert page.status == 503 and "make status" in page.text


def test_every_document_needs_a_login(aws: Any) -> None:
    put(aws, "data-docs/a.html", "secret")
    assert open_document("data-docs/a.html", login=False).status_code == 401
