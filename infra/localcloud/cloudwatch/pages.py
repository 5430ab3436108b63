"""Pages of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.localcloud.actions import AwsError, Members


def page[Item](items: Sequence[Item], request: Mapping[str, Any], size: str, most: int) -> tuple[list[Item], Members]:
    """One page of items.

    Args:
        items: All of them.
        request: The request, whose NextToken says where the page begins.
        size: The member with the number of items on a page, if there is one.
        most: The number of items without that member.

    Returns:
        The items of the page, and the member NextToken if there are more.

    Raises:
        AwsError: NextToken is none that was given out (InvalidNextToken).
    """
    token = str(request.get("NextToken") or "0")
    if not token.isdigit():
        raise AwsError("InvalidNextToken", "The next token specified is invalid.")
    start = int(token)
    end = start + int(request.get(size) or most)
    return list(items[start:end]), {"NextToken": str(end)} if end < len(items) else {}
