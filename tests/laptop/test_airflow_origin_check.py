"""The middleware in front of the laptop's Airflow: which requests of web pages it refuses."""

from __future__ import annotations

import asyncio
import importlib.util
from typing import Any

import pytest

from infra.laptop.airflow_environment import SITE

PORT = 18080
HOST = f"127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
def check_class() -> Any:
    spec = importlib.util.spec_from_file_location("origin_check", SITE / "nightjar_laptop" / "origin_check.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.OriginCheck


def status(check_class: Any, *headers: tuple[str, str], method: str = "GET") -> int:
    """The status of a request; 200 is the application's."""
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "headers": [(name.encode(), value.encode()) for name, value in headers]}
    asyncio.run(check_class(application, PORT)(scope, None, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize("host", [HOST, f"localhost:{PORT}", f"[::1]:{PORT}", f"LOCALHOST:{PORT}"])
def test_its_own_names_are_accepted(check_class: Any, host: str) -> None:
    assert status(check_class, ("host", host)) == 200
    assert status(check_class, ("host", HOST), ("origin", f"http://{host}"), method="POST") == 200


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("host", "evil.example:18080")],
        [("host", "127.0.0.1")],
        [("host", f"127.0.0.1.evil.example:{PORT}")],
        [("host", HOST), ("host", "evil.example")],
        [("host", HOST), ("origin", "http://evil.example")],
        [("host", HOST), ("origin", "null")],
        [("host", HOST), ("origin", f"https://{HOST}")],
        [("host", HOST), ("origin", "http://127.0.0.1:1")],
        [("host", HOST), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
    ],
)
def test_requests_of_other_pages_are_refused(check_class: Any, headers: list[tuple[str, str]]) -> None:
    assert status(check_class, *headers) == 403
    assert status(check_class, *headers, method="POST") == 403


def test_a_link_on_another_page_may_be_followed_and_a_form_not_sent(check_class: Any) -> None:
    link = [("host", HOST), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]
    assert status(check_class, *link) == 200
    assert status(check_class, *link, method="POST") == 403
