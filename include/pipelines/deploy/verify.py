"""Verifies through the load balancer that the service serves the deployed version."""

from __future__ import annotations

import json
import logging
import tarfile
import time
from typing import Any, Protocol, TypedDict

from include.errors import NightjarError
from include.lake import layout
from include.lake.uris import split_s3_uri
from include.model.files import GOLDEN
from include.model.tolerances import PROBABILITY_TOLERANCE
from include.pipelines.deploy.http import HttpService
from include.pipelines.deploy.resolve import DeployTarget
from include.pipelines.protocols import ObjectStore

log = logging.getLogger(__name__)

IN_A_ROW = 5
TRIES = 15
PAUSE_SECONDS = 0.5


class VerificationError(NightjarError):
    """The service does not serve the version that was deployed. The message contains its response."""


class Verification(TypedDict):
    """What the task ``verify`` returns."""

    url: str
    prediction: dict[str, Any]
    """The service's response to a golden row."""


class GoldenRequest(TypedDict):
    """A request of the bundle, with the prediction that the model made in training."""

    request: dict[str, Any]
    probability: float
    prediction: int


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
        VerificationError: One of the checks failed.
    """
    service = HttpService(parameters.get_parameter_value(layout.service_url_parameter(workload)))
    check_version(target, service, pause_seconds)
    check_golden_rows(service)
    api_key = _text(secrets.get_secret(api_key_secret)) if api_key_secret else ""
    prediction = check_prediction(service, read_golden_row(objects, target["bundle_uri"]), api_key)
    return {"url": service.url, "prediction": prediction}


def check_version(target: DeployTarget, service: HttpService, pause_seconds: float) -> None:
    """Checks that ``/version`` is the deployed version and digest five times in a row."""
    wanted = {"model_version": str(target["version"]), "bundle_digest": target["bundle_digest"]}
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


def check_golden_rows(service: HttpService) -> None:
    """Checks that ``/golden`` reports that the golden rows score as in training."""
    response = service.get("/golden")
    if response.status != 200 or response.body.get("ok") is not True:
        raise VerificationError(
            f"{service.url}/golden: the golden rows do not score as in training: HTTP {response.status} {response.body}"
        )
    log.info("Golden rows: %s", response.body)


def check_prediction(service: HttpService, golden: GoldenRequest, api_key: str) -> dict[str, Any]:
    """Checks that ``/predict`` scores a golden row as in training; returns the response."""
    headers = {"X-Api-Key": api_key} if api_key else {}
    response = service.post("/predict", golden["request"], headers)
    probability = response.body.get("probability")
    agrees = isinstance(probability, int | float) and abs(probability - golden["probability"]) <= PROBABILITY_TOLERANCE
    if response.status != 200 or not agrees:
        raise VerificationError(
            f"{service.url}/predict returned HTTP {response.status} {response.body} for a golden row, "
            f"expected {golden['probability']}"
        )
    log.info("A golden row scores as in training: %s", response.body)
    return response.body


def read_golden_row(objects: ObjectStore, bundle_uri: str) -> GoldenRequest:
    """Reads the first golden row of a bundle. The archive is read as a stream, because it may be large.

    Raises:
        VerificationError: The bundle holds no golden rows.
    """
    body = objects.open(*split_s3_uri(bundle_uri))
    with tarfile.open(fileobj=body, mode="r|gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.removeprefix("./") == GOLDEN else None
            if file:
                row: GoldenRequest = json.loads(file.readline())
                return row
    raise VerificationError(f"{bundle_uri} holds no {GOLDEN}: this is not a Nightjar bundle. Train again.")


def _text(secret: str | bytes) -> str:
    return (secret.decode() if isinstance(secret, bytes) else secret).strip()
