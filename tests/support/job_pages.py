"""The laptop's pages of jobs in this process, as a browser with or without a login gets them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from importlib import import_module
from typing import Any

import httpx
import pytest
from airflow.api_fastapi.core_api.security import get_user

from infra.laptop.airflow_environment import SITE

CONSOLE = "http://127.0.0.1:8080/nightjar/jobs"
HOSTILE = "</pre><script>alert(1)</script><img src=x onerror='a()'>\"&amp;"
TAGS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "table", "tr", "th", "td", "p", "a", "pre"
}  # fmt: skip


class Page(HTMLParser):
    """An answer: its tags, its text as a person reads it, its links, and the table's values by their names."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.status = answer.status_code
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.facts: dict[str, str] = {}
        self.text = self.style = ""
        self._tag = self._name = ""
        self.feed(answer.text)
        digest = base64.b64encode(hashlib.sha256(self.style.encode()).digest()).decode()
        policy = answer.headers["content-security-policy"]
        assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';"), policy
        assert self.tags <= TAGS, "a value made markup"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._tag = tag
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, data: str) -> None:
        if self._tag == "style":
            self.style += data
            return
        self.text += data
        if self._tag == "th":
            self._name = data
        elif self._tag == "td":
            self.facts[self._name] = data


@contextmanager
def pages(login: bool = True) -> Iterator[Any]:
    """The application; ``login`` says whether requests have a user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SITE))
        app = import_module("nightjar_laptop.job_page").app
    app.dependency_overrides = {get_user: lambda: "admin"} if login else {}
    try:
        yield app
    finally:
        app.dependency_overrides = {}


def get(app: Any, path: str) -> httpx.Response:
    """Requests a path of the application."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            return await client.get(path)

    return asyncio.run(ask())


def open_link(link: str) -> Page:
    """The page that a job's link opens."""
    assert link.startswith(f"{CONSOLE}/"), link
    with pages() as app:
        return Page(get(app, link.removeprefix(CONSOLE)))
