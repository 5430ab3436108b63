"""``make alerts``: what a person would have been sent, and the alarms that are open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape

from infra.laptop import parts, vitals
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig
from infra.laptop.inbox import page
from infra.laptop.inbox.messages import Message
from infra.laptop.inbox.open_alarms import OpenAlarm, open_alarms
from infra.laptop.inbox.store import Inbox

_SHOWN = 20
_STYLES = {"ALARM": "red", "OK": "green"}


def command(config: LaptopConfig, *, as_json: bool) -> None:
    """Takes new messages, writes the page, and prints both lists.

    Raises:
        LaptopError: The local cloud does not run.
    """
    vitals.require_running(config, (parts.CLOUD,))
    aws = Aws(config)
    messages, alarms = Inbox(aws, config.state).collect(), open_alarms(aws)
    written = page.write(config, messages, alarms)
    if as_json:
        print(json.dumps(to_json(messages, alarms), indent=2))
        return
    show(Console(highlight=False), messages, alarms)
    print(f"\nAll with what to do: {written.as_uri()}")


def to_json(messages: Sequence[Message], alarms: Sequence[OpenAlarm]) -> dict[str, Any]:
    """Both lists as JSON values."""
    return {"open": [asdict(alarm) for alarm in alarms], "messages": [message.to_json() for message in messages]}


def show(console: Console, messages: Sequence[Message], alarms: Sequence[OpenAlarm]) -> None:
    """Prints the open alarms, and the newest messages."""
    for alarm in alarms:
        console.print(f"[red]✘[/] {escape(alarm.name)} is open since {alarm.since}: {escape(alarm.description)}")
    if not alarms:
        console.print("[green]✔[/] No alarm is open.")
    for message in messages[:_SHOWN]:
        state = message.alarm.state if message.alarm else "message"
        style = _STYLES.get(state, "yellow")
        console.print(f"\n[bold]{escape(message.at)}[/]  [{style}]{escape(state)}[/]  {escape(message.subject)}")
        console.print(escape(message.text), soft_wrap=True)
        if message.runbook:
            console.print(f"[dim]{escape(message.runbook)}[/]")
    if not messages:
        console.print("Nobody would have been sent anything.")
    elif len(messages) > _SHOWN:
        console.print(f"\n… and {len(messages) - _SHOWN} older ones.")
