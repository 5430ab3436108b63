"""The reason that a person gives for a change."""

from __future__ import annotations

from include.errors import UserError
from include.pipelines.deploy.freeze import SHORTEST_REASON

LONGEST_REASON = 300


def reason_of(text: str) -> str:
    """Checks the reason that a person gives.

    Raises:
        UserError: It is too short or too long to say anything.
    """
    reason = " ".join(text.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise UserError(f"Give a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters.")
    return reason
