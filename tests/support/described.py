"""What a service describes of its resources, on any server with the same state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.localcloud import Cloud

# Makes resources and returns a function that describes them on any server with the same state.
Described = Callable[[Cloud], Any]
TAGS = [{"Key": "team", "Value": "a"}]


def body(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without what is of the request."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
