"""The service's HTTP interface, as the verification calls it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 10
ERROR_BYTES = 2000


@dataclass(frozen=True)
class Answer:
    """An answer of the service: HTTP status and JSON body.

    Without a readable answer the status is 0. The body of an error is ``{"error": text}``.
    """

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class HttpService:
    """A service at a URL without a trailing slash."""

    url: str

    def get(self, path: str) -> Answer:
        """Returns the answer to GET."""
        return _call(urllib.request.Request(f"{self.url}{path}"))

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
        """Returns the answer to POST of JSON."""
        headers = {"Content-Type": "application/json", **headers}
        return _call(urllib.request.Request(f"{self.url}{path}", data=json.dumps(body).encode(), headers=headers))


def _call(request: urllib.request.Request) -> Answer:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            body = json.load(answer)
    except urllib.error.HTTPError as error:
        return Answer(error.code, {"error": error.read(ERROR_BYTES).decode(errors="replace")})
    except (OSError, ValueError) as error:
        return Answer(0, {"error": str(error)})
    return Answer(answer.status, body if isinstance(body, dict) else {"error": f"not a JSON object: {body!r}"})
