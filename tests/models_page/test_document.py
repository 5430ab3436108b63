"""The page is one document that runs its own script only, asks this server only, and makes no markup of values."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

import pytest
from models_page import document

from tests.support.models_page import Person

SOURCES = sorted(document.FOLDER.iterdir())
# What would make markup or code of a text.
MARKUP = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
    "srcdoc",
    "DOMParser",
)


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_allows_the_pages_own_style_and_script_and_no_other(person: Callable[[str], Person]) -> None:
    answer = person("vera").get("")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    (style,), (script,) = (re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL) for tag in ("style", "script"))
    assert policy["style-src"] == f"'sha256-{digest(style)}'" and policy["script-src"] == f"'sha256-{digest(script)}'"
    assert (policy["default-src"], policy["connect-src"], policy["frame-ancestors"]) == ("'none'", "'self'", "'self'")


def test_the_page_loads_nothing_from_elsewhere() -> None:
    text, _ = document.page()
    addresses = set(re.findall(r"https?://[^\s\"'`]+", text)) - {"http://www.w3.org/2000/svg"}
    assert addresses == set()
    assert not re.findall(r"<[a-z][^>]*\s(?:style|on[a-z]+)=", text), "the policy forbids them"


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_no_source_makes_markup_of_a_text(file: object) -> None:
    text = file.read_text()  # type: ignore[attr-defined]
    assert [word for word in MARKUP if word in text] == []


def test_every_source_is_part_of_the_page() -> None:
    assert {file.name for file in SOURCES} == {*document.SCRIPTS, "page.html", "page.css"}
    text, _ = document.page()
    assert "@style@" not in text and "@script@" not in text
