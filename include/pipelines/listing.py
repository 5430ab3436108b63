"""Long lists in texts for people."""

from __future__ import annotations

from collections.abc import Sequence

SHOWN = 10


def shortened(items: Sequence[str], what: str) -> list[str]:
    """Returns the first items, and a last one that counts the rest.

    Args:
        items: The items.
        what: What they are, in the plural.
    """
    more = len(items) - SHOWN
    return [*items[:SHOWN], *([f"and {more} more {what}"] if more > 0 else [])]
