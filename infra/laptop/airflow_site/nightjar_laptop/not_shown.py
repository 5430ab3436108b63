"""What a page cannot show."""

from __future__ import annotations


class NotShownError(Exception):
    """A job or document cannot be shown; the text is for the person who asked.

    Args:
        status: HTTP status of the answer.
        text: What happened, and what to do.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
