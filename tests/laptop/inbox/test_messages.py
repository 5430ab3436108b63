"""What SNS delivers becomes a message of the inbox, whatever its text is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.laptop.inbox.messages import Message, read

ALARM = {
    "AlarmName": "nightjar-flights-cpu",
    "AlarmDescription": "Busy. What to do: docs/runbooks/cpu.md",
    "NewStateValue": "ALARM",
    "OldStateValue": "OK",
    "NewStateReason": "Threshold Crossed",
}


def body(text: str, **members: Any) -> str:
    """A queue's message as SNS makes it."""
    envelope = {"Type": "Notification", "MessageId": "id-1", "Message": text, "Timestamp": "2026-11-29T10:00:00.000Z"}
    return json.dumps({**envelope, **members})


def test_an_alarm_has_its_state_its_reason_and_its_runbook() -> None:
    message = read(body(json.dumps(ALARM), Subject="ALARM: cpu"), "other")
    assert message.alarm and (message.alarm.state, message.alarm.before) == ("ALARM", "OK")
    assert (message.id, message.subject, message.runbook) == ("id-1", "ALARM: cpu", "docs/runbooks/cpu.md")
    assert message.text == "Busy. What to do: docs/runbooks/cpu.md\nThreshold Crossed"


def test_a_failed_run_has_its_links() -> None:
    log = "http://127.0.0.1:8080/log?x=1"
    text = f"flights_process failed.\nRun: http://127.0.0.1:8080/dags/a/runs/b. Log ({log}), again {log}"
    message = read(body(text), "other")
    assert message.alarm is None and message.subject == "flights_process failed."
    assert message.links == ("http://127.0.0.1:8080/dags/a/runs/b", "http://127.0.0.1:8080/log?x=1")


@pytest.mark.parametrize("text", ["", "plain text", "[1, 2]", "null", '{"AlarmName": "x"}', '{"Message": 5}', "{"])
def test_no_text_is_lost(text: str) -> None:
    message = read(text, "sqs-1")
    assert message.id == "sqs-1" and message.alarm is None
    assert message.subject


def test_a_message_is_stored_as_it_is() -> None:
    for message in (read(body(json.dumps(ALARM)), "x"), read("plain", "y")):
        assert Message.from_json(json.loads(json.dumps(message.to_json()))) == message
