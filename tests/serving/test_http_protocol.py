"""HTTP/1.1 as other clients than ours speak it."""

from __future__ import annotations

import json
import socket

import pytest

from tests.support.http_raw import JAVA_OFFER, raw_answers
from tests.support.request_cases import GOOD
from tests.support.service import Service

pytestmark = pytest.mark.stack

BODY = GOOD.encode()
HEAD = b"POST /predict HTTP/1.1\r\n" + JAVA_OFFER + b"Host: localhost\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY)
REQUEST = HEAD + LENGTH + BODY


def answers(service: Service, *pieces: bytes, count: int = 1) -> list[tuple[int, bytes]]:
    """The answers of the service to pieces of requests on one connection."""
    return raw_answers(service.port, *pieces, count=count)


@pytest.mark.parametrize(
    "pieces",
    [
        (REQUEST,),
        (HEAD + LENGTH, BODY),
        (HEAD + LENGTH + BODY[:5], BODY[5:]),
        (HEAD[:60], HEAD[60:] + LENGTH[:-1], LENGTH[-1:] + BODY),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)),
        tuple(REQUEST[place : place + 1] for place in range(len(REQUEST))),
    ],
    ids=["whole", "body later", "half a body later", "head in parts", "chunked", "byte by byte"],
)
def test_a_post_that_offers_http_2_is_answered(service: Service, pieces: tuple[bytes, ...]) -> None:
    ((status, body),) = answers(service, *pieces)
    assert (status, json.loads(body)["model_version"]) == (200, "7")


def test_requests_that_follow_on_the_connection_are_answered(service: Service) -> None:
    plain = REQUEST.replace(JAVA_OFFER, b"")
    found = answers(service, REQUEST + REQUEST, plain + REQUEST, count=4)
    assert [status for status, _ in found] == [200] * 4
    assert len({body for _, body in found}) == 1


def test_other_offers_are_ignored_too(service: Service) -> None:
    get = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert [status for status, _ in answers(service, get + REQUEST, count=2)] == [200, 200]


def test_very_many_offers_in_one_piece_are_answered(service: Service) -> None:
    get = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert [status for status, _ in answers(service, get * 1500, count=1500)] == [200] * 1500


def test_connect_is_refused(service: Service) -> None:
    ((status, _),) = answers(service, b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n")
    assert status in (400, 404, 405)


def test_a_request_to_close_survives_the_offer(service: Service) -> None:
    closing = REQUEST.replace(b"Connection: Upgrade", b"Connection: close, Upgrade")
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(closing)
        answer = b""
        while part := connection.recv(65536):  # ends because the service closes
            answer += part
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/health", "/ready", "/version", "/openapi.json", "/metrics"])
def test_head_answers_as_get_without_a_body(service: Service, path: str) -> None:
    head, get = service.client.head(path), service.client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


def test_a_slash_too_many_is_named_and_not_redirected(service: Service) -> None:
    answer = service.client.post("/predict/", content=GOOD)
    assert (answer.status_code, answer.json()["error"]) == (404, "Not Found: the path is /predict")
    assert service.client.post("/nothing/", content=GOOD).json()["error"] == "Not Found"
