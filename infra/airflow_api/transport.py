"""What the client needs of a way to Airflow's REST API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Answer:
    """A response of the REST API.

    Attributes:
        status: The HTTP status.
        body: The decoded JSON; None when the response is empty, a text when it is no JSON.
    """

    status: int
    body: Any


class Transport(Protocol):
    """Sends requests, signed in."""

    @property
    def url(self) -> str:
        """The address of Airflow's user interface."""

    def send(self, method: str, path: str, *, params: Mapping[str, Any] | None, json: Any) -> Answer:
        """Sends one request.

        Args:
            method: The HTTP method.
            path: Below the API's version, such as ``/dags``.
            params: The query.
            json: The body.

        Raises:
            AirflowUnreachableError: Airflow did not answer.
        """
