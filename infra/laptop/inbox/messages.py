"""A message of the topic ``nightjar-alerts``, as SNS delivers it to a queue, and what it says of an alarm."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Self

# The end of the description of every alarm (infra/definitions/alarms.yaml).
_RUNBOOK = re.compile(r"What to do: (\S+?\.md)")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:)\]]")


@dataclass(frozen=True)
class AlarmChange:
    """A change of an alarm's state.

    Attributes:
        name: The alarm.
        state: OK, ALARM or INSUFFICIENT_DATA.
        before: The state before.
        reason: Why, in CloudWatch's words.
        description: What the alarm means.
    """

    name: str
    state: str
    before: str
    reason: str
    description: str


@dataclass(frozen=True)
class Message:
    """A message.

    Attributes:
        id: SNS's id of the message.
        at: When it was published: ISO 8601, UTC.
        subject: Its subject, or the first line of its text.
        text: Its text; of an alarm, its description and the reason.
        alarm: What it says of an alarm; None for other messages.
        runbook: The path or address of the page that says what to do.
    """

    id: str
    at: str
    subject: str
    text: str
    alarm: AlarmChange | None = None
    runbook: str | None = None

    @property
    def links(self) -> tuple[str, ...]:
        """The web addresses in its text, each once."""
        return tuple(dict.fromkeys(_LINK.findall(self.text)))

    def to_json(self) -> dict[str, Any]:
        """It as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """A message that :meth:`to_json` wrote."""
        alarm = AlarmChange(**stored["alarm"]) if stored.get("alarm") else None
        return cls(**{**stored, "alarm": alarm})


def read(body: str, fallback_id: str) -> Message:
    """Reads what SNS has put into a queue. Text of any form becomes a message: none may be lost.

    Args:
        body: The body of the queue's message.
        fallback_id: The id of the queue's message, for a body that SNS has not made.
    """
    envelope = _object(body)
    text = str(envelope.get("Message", body))
    alarm = _alarm(_object(text))
    shown = f"{alarm.description}\n{alarm.reason}" if alarm else text
    page = _RUNBOOK.search(shown)
    subject = str(envelope.get("Subject") or text.strip().partition("\n")[0][:100] or "(no subject)")
    return Message(
        id=str(envelope.get("MessageId") or fallback_id),
        at=str(envelope.get("Timestamp") or ""),
        subject=subject,
        text=shown,
        alarm=alarm,
        runbook=page.group(1) if page else None,
    )


def _object(text: str) -> dict[str, Any]:
    """A JSON object; empty for any other text."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _alarm(found: dict[str, Any]) -> AlarmChange | None:
    if not {"AlarmName", "NewStateValue", "NewStateReason"} <= set(found):
        return None
    return AlarmChange(
        name=str(found["AlarmName"]),
        state=str(found["NewStateValue"]),
        before=str(found.get("OldStateValue", "")),
        reason=str(found["NewStateReason"]),
        description=str(found.get("AlarmDescription") or ""),
    )
