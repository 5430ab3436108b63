from __future__ import annotations

import gzip
import json
import socket
import time
from typing import Any

import pytest

from tests.support.request_cases import GOOD, RECORDS
from tests.support.service import JSON, Service

pytestmark = pytest.mark.stack
NAMES = [case[0] for case in RECORDS]


def _fields(answer: dict[str, Any]) -> set[str]:
    return {entry["field"] for entry in answer["fields"]}


@pytest.mark.parametrize(("name", "record", "status", "field"), RECORDS, ids=NAMES)
def test_predict(service: Service, name: str, record: str, status: int, field: str | None):
    answer = service.client.post("/predict", content=record, headers=JSON)
    assert answer.status_code == status, answer.text
    body = answer.json()
    if status == 200:
        assert body["prediction"] in (0, 1) and 0 <= body["probability"] <= 1 and body["model_version"] == "7"
        assert ("warnings" in body) == ("the range" in name)
    else:
        assert body["error"] and body["request_id"] == answer.headers["x-request-id"]
    if field is not None:
        assert field in _fields(body)


@pytest.mark.parametrize(("name", "record", "status", "field"), RECORDS, ids=NAMES)
def test_predict_batch(service: Service, name: str, record: str, status: int, field: str | None):
    answer = service.client.post("/predict/batch", content=f'{{"records": [{GOOD}, {record}]}}', headers=JSON)
    assert answer.status_code == status, answer.text
    body = answer.json()
    if status == 200:
        assert len(body["predictions"]) == 2 and body["model_version"] == "7"
        single = service.client.post("/predict", content=record, headers=JSON).json()
        assert body["predictions"][1]["probability"] == pytest.approx(single["probability"], abs=1e-12)
    if field is not None:
        assert field in _fields(body)
        assert name == "given twice" or {entry["index"] for entry in body["fields"]} == {1}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[]", 422),
        ("{}", 422),
        (GOOD, 422),
        ('{"records": []}', 422),
        ('{"records": {}}', 422),
        ('{"records": null}', 422),
        (f'{{"records": [{GOOD}], "more": 1}}', 422),
        (f'{{"records": [{", ".join([GOOD] * 50)}]}}', 200),
        (f'{{"records": [{", ".join([GOOD] * 51)}]}}', 422),
    ],
)
def test_the_batch_around_its_records(service: Service, body: str, status: int):
    answer = service.client.post("/predict/batch", content=body, headers=JSON)
    assert answer.status_code == status, answer.text
    assert status == 200 or _fields(answer.json()) == {"records"}


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", JSON, 400),
        (b"\xff\xfe{\x00}\x00", JSON, 400),
        (b"\xef\xbb\xbf" + GOOD.encode(), JSON, 400),
        (GOOD.encode(), {}, 415),
        (GOOD.encode(), {"content-type": "text/plain"}, 415),
        (GOOD.encode(), {"content-type": "application/jsonlines"}, 415),
        (GOOD.encode(), {"content-type": "application/x-www-form-urlencoded"}, 415),
        (gzip.compress(GOOD.encode()), {**JSON, "content-encoding": "gzip"}, 415),
        (b" " * 20_001, JSON, 413),
    ],
)
def test_the_request_around_its_body(service: Service, path: str, content: bytes, headers: dict[str, str], status: int):
    answer = service.client.post(path, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]


def test_a_charset_is_accepted(service: Service):
    answer = service.client.post("/predict", content=GOOD, headers={"content-type": "application/json; charset=utf-8"})
    assert answer.status_code == 200


def test_an_endless_body_is_rejected_while_it_is_read(service: Service):
    """The body is chunked, so no length is declared; the answer must arrive although the body never ends."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        head = (
            "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        connection.sendall(head.encode())
        for _ in range(3):
            connection.sendall(b"2710\r\n" + b" " * 10_000 + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/predict", 405), ("POST", "/health", 405), ("GET", "/none", 404)]
)
def test_other_paths_and_methods(service: Service, method: str, path: str, status: int):
    answer = service.client.request(method, path)
    assert answer.status_code == status and answer.json()["request_id"]


def test_warnings_name_the_field(service: Service):
    answer = service.client.post("/predict", json={"text_length": 99_999, "num_keywords": 3}).json()
    assert answer["warnings"] == [{"field": "text_length", "message": "is above the maximum 10000"}]


@pytest.mark.parametrize(("given", "kept"), [("abc-1", True), ("x" * 65, False), ('a"b', False)])
def test_request_ids(service: Service, given: str, kept: bool):
    answer = service.client.post("/predict", content=GOOD, headers={**JSON, "x-request-id": given})
    assert (answer.headers["x-request-id"] == given) == kept


def test_no_request_of_this_module_was_an_internal_error(service: Service):
    """Runs last: the log has no 500, and every line of it is JSON."""
    service.client.get("/version", headers={"x-request-id": "the-last-one"})
    end = time.monotonic() + 30
    while "the-last-one" not in service.text() and time.monotonic() < end:
        time.sleep(0.05)
    lines = [json.loads(line) for line in service.text().splitlines()]
    assert any(line.get("path") == "/predict" and line["request_id"] for line in lines)
    assert not [line for line in lines if line.get("status", 0) == 500 or line["level"] == "ERROR"]
