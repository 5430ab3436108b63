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
class HttpResponse:
    """A response of the service: HTTP status and JSON body.

    Without a readable response the status is 0. The body of an error is ``{"error": text}``.
    """

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class HttpService:
    """A service at a URL without a trailing slash."""

    url: str

    def get(self, path: str) -> HttpResponse:
        """Returns the response to GET."""
        return _call(urllib.request.Request(f"{self.url}{path}"))

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> HttpResponse:
        """Returns the response to POST of JSON."""
        headers = {"Content-Type": "application/json", **headers}
        return _call(urllib.request.Request(f"{self.url}{path}", data=json.dumps(body).encode(), headers=headers))


def _call(request: urllib.request.Request) -> HttpResponse:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            body = json.load(response)
    except urllib.error.HTTPError as error:
        return HttpResponse(error.code, {"error": error.read(ERROR_BYTES).decode(errors="replace")})
    except (OSError, ValueError) as error:
        return HttpResponse(0, {"error": str(error)})
    return HttpResponse(response.status, body if isinstance(body, dict) else {"error": f"not a JSON object: {body!r}"})
