"""Why a query fails. Either of these ends a query as FAILED with its text as StateChangeReason."""

from __future__ import annotations


class QueryFailed(Exception):
    """The query is wrong, or its data is: Athena would fail it too. ``type`` is Athena's ErrorType (1 system, 2 user)."""

    type = 2


class Refused(QueryFailed):
    """Athena may well run this, the local cloud cannot do so faithfully. The text names the function or statement."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(
            f"NOT_SUPPORTED: the local cloud's Athena cannot run {what} faithfully and ran nothing."
            + (f" {advice}" if advice else "")
        )
