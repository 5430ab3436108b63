"""The page of the inbox: open alarms, and every message, the newest first. It needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from include.glue.markup import page, table, table_of
from infra.laptop.config import ROOT, LaptopConfig
from infra.laptop.inbox.messages import Message
from infra.laptop.inbox.open_alarms import OpenAlarm

_STYLE = (
    "<style>.messages th { overflow-wrap: normal; } .text { white-space: pre-wrap; }"
    " .messages td:nth-child(-n+2) { white-space: nowrap; }</style>"
)
_HEAD = ("when (UTC)", "state", "message", "what to do")
_COLOURS = {"ALARM": "failed", "OK": "passed"}


def write(config: LaptopConfig, messages: Sequence[Message], alarms: Sequence[OpenAlarm]) -> Path:
    """Writes ``alerts.html`` in the run folder, and returns its path."""
    target = config.state / "alerts.html"
    partial = target.with_name(f"{target.name}.new")
    partial.write_text(render(messages, alarms), "utf-8")
    partial.replace(target)
    return target


def render(messages: Sequence[Message], alarms: Sequence[OpenAlarm]) -> str:
    """The page's HTML."""
    title = "Alerts"
    body = [_STYLE, f"<h1>{title}</h1>", f"<h2>Open alarms ({len(alarms)})</h2>"]
    opened = [(one.since[:19].replace("T", " "), one.name, one.description, one.reason) for one in alarms]
    head = ("since (UTC)", "alarm", "meaning", "reason")
    body.append(table("Open alarms", head, opened) if opened else "<p>None is open.</p>")
    body.append(f"<h2>Messages ({len(messages)})</h2>")
    listed = f'<div class="messages">{table_of("Messages", _HEAD, map(_row, messages))}</div>'
    body.append(listed if messages else "<p>Nobody would have been sent anything.</p>")
    return page(title, "".join(body))


def _row(message: Message) -> str:
    state = message.alarm.state if message.alarm else ""
    cells = (
        f"<td>{escape(message.at[:19].replace('T', ' '))}</td>",
        f'<td class="{_COLOURS.get(state, "")}">{escape(state)}</td>',
        f'<td><b>{escape(message.subject)}</b><div class="text">{escape(message.text)}</div></td>',
        f"<td>{'<br>'.join(_links(message))}</td>",
    )
    return "".join(cells)


def _links(message: Message) -> list[str]:
    """The runbook, and the addresses in the text: the run that failed, its log."""
    found = [_link(address, address) for address in message.links if address != message.runbook]
    if message.runbook:
        found.insert(0, _link(runbook_address(message.runbook), "runbook"))
    return found


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(address)}">{escape(text)}</a>'


def runbook_address(runbook: str) -> str:
    """Where a browser finds a runbook: a web address as it is, a path of the repository as a file."""
    return runbook if runbook.startswith(("http://", "https://")) else (ROOT / runbook).as_uri()
