"""Answers to Athena's API: errors in AWS's form, and pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.athena.responses import AthenaResponse

from infra.localcloud.athena.errors import InvalidRequestError
from infra.localcloud.athena.models import AthenaBackend

Answer = str | tuple[str, dict[str, int]]
PAGE = 1000


def answered(action: Callable[[AthenaResponse, AthenaBackend], dict[str, Any]]) -> Callable[[AthenaResponse], Answer]:
    """Makes a moto action from a function of the backend; :class:`InvalidRequestError` becomes AWS's error."""

    @wraps(action)
    def answer(self: AthenaResponse) -> Answer:
        backend = self.athena_backend
        assert isinstance(backend, AthenaBackend)
        try:
            return json.dumps(action(self, backend))
        except InvalidRequestError as error:
            return json.dumps({"__type": error.code, "Message": str(error)}), {"status": 400}

    return answer


def bounds(self: AthenaResponse, default: int) -> tuple[int, int]:
    """Reads NextToken and MaxResults: the first row, and the number of rows.

    Raises:
        InvalidRequestError: One of them is wrong.
    """
    limit = int(self._get_param("MaxResults") or default)
    if not 1 <= limit <= PAGE:
        raise InvalidRequestError(f"MaxResults must be between 1 and {PAGE}")
    token = self._get_param("NextToken")
    try:
        return int(base64.b64decode(token)) if token else 0, limit
    except ValueError:
        raise InvalidRequestError("NextToken is not one that was given out") from None


def following(start: int, limit: int, total: int) -> dict[str, str]:
    """Writes the NextToken; nothing behind the last page."""
    return {"NextToken": base64.b64encode(str(start + limit).encode()).decode()} if start + limit < total else {}


def page(self: AthenaResponse, listed: list[Any], default: int) -> tuple[list[Any], dict[str, str]]:
    """Returns the page that the request asks for, and its NextToken."""
    start, limit = bounds(self, default)
    return listed[start : start + limit], following(start, limit, len(listed))
