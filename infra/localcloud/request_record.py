"""What the request log says of a request's authorisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# The key of a request's Record in its WSGI environment.
RECORD_KEY = "nightjar.authorization"
OPERATOR = "operator"
ANONYMOUS = "anonymous"


@dataclass
class Record:
    """The outcome of the checks of one request.

    Attributes:
        caller: ``operator``, the ARN of the role or user, or ``anonymous`` (also for a wrong signature).
        decision: ``operator``, ``allow``, ``deny``, or ``signature`` if the request is not signed rightly.
        asked: The IAM actions, each with its resource.
        decided_by: The policy and statement that decided each of them; empty where no statement did.
        error: The reason of a refusal.
        note: What the local cloud could not do exactly, such as finding the resources.
    """

    caller: str = ANONYMOUS
    decision: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    decided_by: list[str] = field(default_factory=list)
    error: str = ""
    note: str = ""

    def described(self) -> dict[str, Any]:
        """The fields of the log's line; empty ones are left out."""
        fields = {
            "decision": self.decision,
            "iam": [{"action": action, "resource": resource} for action, resource in self.asked],
            "decided_by": self.decided_by,
            "error": self.error,
            "note": self.note,
        }
        return {name: value for name, value in fields.items() if value}
