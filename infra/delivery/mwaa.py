"""An MWAA environment: which release it runs, and whether an update has ended."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from include.lake import layout
from infra.delivery.command import DeliveryError
from infra.package.release import DAGS

AVAILABLE = "AVAILABLE"
FAILED = {"CREATE_FAILED", "UPDATE_FAILED", "UNAVAILABLE", "DELETING", "DELETED"}


def described(mwaa: Any, name: str) -> Mapping[str, Any] | None:
    """GetEnvironment's answer; None when there is no environment of this name."""
    try:
        environment: Mapping[str, Any] = mwaa.get_environment(Name=name)["Environment"]
    except mwaa.exceptions.ResourceNotFoundException:
        return None
    return environment


def running(environment: Mapping[str, Any]) -> str:
    """The code sha of the release whose DAGs an environment has; empty when it has none of a release."""
    found = re.fullmatch(rf"{layout.release_prefix('(.+)')}{DAGS}/?", str(environment.get("DagS3Path", "")))
    return found[1] if found else ""


def wait(mwaa: Any, name: str, code_sha: str, *, timeout: float, poll_seconds: float) -> None:
    """Waits until the environment is available with a release.

    Raises:
        DeliveryError: There is no such environment, the update failed or was rolled back, or it takes too long.
    """
    deadline = time.monotonic() + timeout
    while True:
        environment = described(mwaa, name)
        if environment is None:
            raise DeliveryError(f"There is no MWAA environment {name}. Apply Terraform with this release first.")
        status, present = environment["Status"], running(environment)
        last = environment.get("LastUpdate") or {}
        problem = last.get("Error", {}).get("ErrorMessage") or "MWAA gives no reason"
        if status == AVAILABLE and present == code_sha:
            return
        if status in FAILED or (status == AVAILABLE and last.get("Status") == "FAILED"):
            raise DeliveryError(
                f"{name} is {status} with release {present or 'none'}, not with {code_sha}: {problem}. The log groups "
                f"airflow-{name}-Scheduler and -WebServer show why (requirements_install_… is pip's). It keeps running "
                "the release before; correct the release, or apply that one again."
            )
        if time.monotonic() > deadline:
            raise DeliveryError(
                f"After {timeout:.0f} s, {name} is {status} with release {present or 'none'}, not AVAILABLE with "
                f"{code_sha}. Was Terraform applied with this release? An update takes 10 to 30 minutes."
            )
        time.sleep(poll_seconds)
