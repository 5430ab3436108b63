"""Verifies through the load balancer that the service serves the deployed version."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol, TypedDict

from include.lake import resources
from include.model.tolerances import PROBABILITY_TOLERANCE
from include.pipelines.deploy.faults import VerificationError, VersionFaultError
from include.pipelines.deploy.golden_row import GoldenRequest, read_golden_row
from include.pipelines.deploy.http import HttpResponse, HttpService
from include.pipelines.deploy.resolve import DeployTarget
from include.pipelines.protocols import ObjectStore

log = logging.getLogger(__name__)

IN_A_ROW = 5
TRIES = 15
PAUSE_SECONDS = 0.5
# Statuses that say nothing about the version: no answer, throttled, no healthy task, the caller's key refused.
UNAVAILABLE = (0, 408, 429, 502, 503, 504)
REFUSED = (401, 403)


class Verification(TypedDict):
    """What the task ``verify`` returns."""

    url: str
    prediction: dict[str, Any]
    """The service's response to a golden row."""


class ParameterStore(Protocol):
    """SSM parameters (the Amazon provider's ``SsmHook``)."""

    def get_parameter_value(self, parameter: str) -> str:
        """Returns the value of a parameter."""


class SecretStore(Protocol):
    """Secrets Manager (the Amazon provider's ``SecretsManagerHook``)."""

    def get_secret(self, secret_name: str) -> str | bytes:
        """Returns the value of a secret."""


def verify(
    workload: str,
    target: DeployTarget,
    parameters: ParameterStore,
    secrets: SecretStore,
    objects: ObjectStore,
    *,
    api_key_secret: str,
    pause_seconds: float = PAUSE_SECONDS,
) -> Verification:
    """Checks version, golden rows and a prediction of the workload's service.

    Args:
        workload: The workload.
        target: What was deployed.
        parameters: SSM parameters, one of which is the URL of the load balancer.
        secrets: Secrets Manager.
        objects: Objects in S3, from which one golden row of the bundle is read.
        api_key_secret: The secret that holds the API key to send; empty if the service requires none.
        pause_seconds: Pause after a response of another version.

    Raises:
        VersionFaultError: The version answers and scores wrongly, or its bundle is not what was registered.
        VerificationError: Another version answers, or none, or the API key is refused: not the version's fault.
    """
    service = HttpService(parameters.get_parameter_value(resources.service_url_parameter(workload)))
    check_version(target, service, pause_seconds)
    check_golden_rows(service, pause_seconds)
    api_key = _text(secrets.get_secret(api_key_secret)) if api_key_secret else ""
    golden = read_golden_row(objects, target["bundle_uri"], target["bundle_digest"])
    prediction = check_prediction(service, golden, api_key, pause_seconds)
    return {"url": service.url, "prediction": prediction}


def check_version(target: DeployTarget, service: HttpService, pause_seconds: float) -> None:
    """Checks that ``/version`` is the deployed version and digest five times in a row, answered by this deploy's tasks.

    Where only the image changes, the tasks of before have the same version and digest.
    """
    wanted = {
        "model_version": str(target["version"]),
        "bundle_digest": target["bundle_digest"],
        "deploy_revision": str(target["revision"]),
    }
    in_a_row = 0
    seen: dict[str, Any] = {}
    for _ in range(TRIES):
        response = service.get("/version")
        seen = {name: str(response.body.get(name)) for name in wanted} if response.status == 200 else response.body
        in_a_row = in_a_row + 1 if seen == wanted else 0
        if in_a_row == IN_A_ROW:
            return
        if not in_a_row:
            time.sleep(pause_seconds)
    raise VerificationError(
        f"{service.url}/version did not return {wanted} {IN_A_ROW} times in a row; the last response was {seen}"
    )


def check_golden_rows(service: HttpService, pause_seconds: float) -> None:
    """Checks that ``/golden`` reports that the golden rows score as in training."""
    response = _answer(lambda: service.get("/golden"), f"{service.url}/golden", pause_seconds)
    if response.status != 200 or response.body.get("ok") is not True:
        raise VersionFaultError(
            f"{service.url}/golden: the golden rows do not score as in training: HTTP {response.status} {response.body}"
        )
    log.info("Golden rows: %s", response.body)


def check_prediction(service: HttpService, golden: GoldenRequest, api_key: str, pause_seconds: float) -> dict[str, Any]:
    """Checks that ``/predict`` scores a golden row as in training; returns the response."""
    headers = {"X-Api-Key": api_key} if api_key else {}
    url = f"{service.url}/predict"
    response = _answer(lambda: service.post("/predict", golden["request"], headers), url, pause_seconds)
    probability = response.body.get("probability")
    agrees = isinstance(probability, int | float) and abs(probability - golden["probability"]) <= PROBABILITY_TOLERANCE
    if response.status != 200 or not agrees:
        raise VersionFaultError(
            f"{url} returned HTTP {response.status} {response.body} for a golden row, expected {golden['probability']}"
        )
    log.info("A golden row scores as in training: %s", response.body)
    return response.body


def _answer(call: Callable[[], HttpResponse], url: str, pause_seconds: float) -> HttpResponse:
    """Returns the first response that says something about the version.

    Raises:
        VerificationError: There is none in :data:`TRIES` tries.
    """
    for _ in range(TRIES):
        response = call()
        if response.status in REFUSED:
            break
        if response.status not in UNAVAILABLE:
            return response
        time.sleep(pause_seconds)
    raise VerificationError(f"{url} cannot be verified: HTTP {response.status} {response.body}")


def _text(secret: str | bytes) -> str:
    return (secret.decode() if isinstance(secret, bytes) else secret).strip()
