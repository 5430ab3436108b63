"""Airflow's REST API through MWAA's InvokeRestApi, which signs in with the caller's IAM identity."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.airflow_api.errors import AirflowUnreachableError
from infra.airflow_api.transport import Answer

ANSWERED = ("RestApiClientException", "RestApiServerException")  # Airflow's own 4xx and 5xx


class MwaaTransport:
    """The API of one environment.

    Args:
        mwaa: A boto3 client of MWAA.
        environment: The environment's name.
    """

    def __init__(self, mwaa: Any, environment: str) -> None:
        self._mwaa = mwaa
        self._environment = environment

    @cached_property
    def url(self) -> str:
        """The address of the web server."""
        described = self._mwaa.get_environment(Name=self._environment)["Environment"]
        return f"https://{described['WebserverUrl']}"

    def send(self, method: str, path: str, *, params: Mapping[str, Any] | None, json: Any) -> Answer:
        """Sends one request."""
        given: dict[str, Any] = {"Name": self._environment, "Method": method, "Path": path}
        if params:
            given["QueryParameters"] = dict(params)
        if json is not None:
            given["Body"] = json
        try:
            answer = self._mwaa.invoke_rest_api(**given)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ANSWERED:
                raise self._unreachable(error) from None
            answer = error.response
        except BotoCoreError as error:
            raise self._unreachable(error) from None
        return Answer(answer["RestApiStatusCode"], answer.get("RestApiResponse") or None)

    def _unreachable(self, error: Exception) -> AirflowUnreachableError:
        return AirflowUnreachableError(
            f"The REST API of the MWAA environment {self._environment} cannot be used: {error}. Is the environment "
            "AVAILABLE, and may the caller do airflow:InvokeRestApi with a role of Airflow?"
        )
