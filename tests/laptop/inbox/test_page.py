"""The page and the lists of ``make alerts``."""

from __future__ import annotations

import io
import re

from rich.console import Console

from infra.laptop.config import ROOT
from infra.laptop.inbox.command import show, to_json
from infra.laptop.inbox.messages import AlarmChange, Message
from infra.laptop.inbox.open_alarms import OpenAlarm
from infra.laptop.inbox.page import render

ALARM = AlarmChange("nightjar-flights-cpu", "ALARM", "OK", "Threshold <b>Crossed</b>", "Busy.")
HOSTILE = "<script>alert(1)</script> [bold]x[/] http://127.0.0.1:8080/r?a=1&b=2"
MESSAGES = [
    Message("2", "2026-11-29T10:01:00.000Z", "ALARM: cpu", "Busy.\nThreshold", ALARM, "docs/runbooks/cpu.md"),
    Message("1", "2026-11-29T10:00:00.000Z", HOSTILE, HOSTILE),
]
OPEN = [OpenAlarm("nightjar-flights-cpu", "2026-11-29T10:01:00+00:00", "Busy.", "Threshold <b>Crossed</b>")]


def test_the_page_has_open_alarms_and_messages_with_what_to_do_and_runs_nothing() -> None:
    page = render(MESSAGES, OPEN)
    assert "Open alarms (1)" in page and "Messages (2)" in page
    assert f'href="{(ROOT / "docs/runbooks/cpu.md").as_uri()}"' in page
    assert 'href="http://127.0.0.1:8080/r?a=1&amp;b=2"' in page
    assert "<script" not in page and "<b>Crossed" not in page
    assert re.search("Content-Security-Policy.*default-src 'none'", page)
    assert page.index("10:01:00") < page.index("2026-11-29 10:00:00")


def test_an_address_that_is_no_web_address_is_no_link() -> None:
    hostile = Message("3", "", "x", "What to do: javascript:alert(1).md", None, "javascript:alert(1).md")
    assert "javascript:alert(1).md" not in re.findall('href="([^"]*)"', render([hostile], []))


def test_an_empty_inbox_says_so() -> None:
    page = render([], [])
    assert "None is open" in page and "Nobody would have been sent anything" in page


def test_the_terminal_shows_markup_as_text() -> None:
    console = Console(file=io.StringIO(), width=100)
    show(console, MESSAGES, OPEN)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "✘ nightjar-flights-cpu is open since 2026-11-29T10:01:00+00:00: Busy." in text
    assert "[bold]x[/]" in text and "docs/runbooks/cpu.md" in text


def test_json_has_both_lists() -> None:
    found = to_json(MESSAGES, OPEN)
    assert found["messages"][0]["alarm"]["state"] == "ALARM"
    assert found["open"][0]["name"] == "nightjar-flights-cpu"
