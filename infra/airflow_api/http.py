"""Airflow's REST API over HTTP, for an Airflow in which every user is an admin (the simple auth manager)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from infra.airflow_api.errors import AirflowUnreachableError
from infra.airflow_api.transport import Answer


class HttpTransport:
    """Signs in when it is made, and again when the token has expired.

    Args:
        url: The address of the API server.
        timeout: Seconds to wait for an answer.
        hint: What a person can do when it does not answer.
    """

    def __init__(self, url: str, *, timeout: float = 60, hint: str = "") -> None:
        self.url = url
        self._hint = f" {hint}" if hint else ""
        self._http = httpx.Client(base_url=f"{url}/api/v2", timeout=timeout)
        self._sign_in()

    def send(self, method: str, path: str, *, params: Mapping[str, Any] | None, json: Any) -> Answer:
        """Sends one request."""
        answer = self._request(method, path, params=params, json=json)
        if answer.status_code == 401:
            self._sign_in()
            answer = self._request(method, path, params=params, json=json)
        try:
            return Answer(answer.status_code, answer.json() if answer.content else None)
        except ValueError:
            return Answer(answer.status_code, answer.text)

    def _sign_in(self) -> None:
        answer = self._request("GET", f"{self.url}/auth/token")
        try:
            self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        except (ValueError, KeyError, TypeError):
            raise AirflowUnreachableError(
                f"{self.url} answers {answer.status_code} where Airflow would give a token. Does another program use "
                f"the port?{self._hint}"
            ) from None

    def _request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            raise AirflowUnreachableError(
                f"Airflow does not answer at {self.url} ({error or type(error).__name__}).{self._hint}"
            ) from None
