"""Writes what a job has found to MLflow, where ``MLFLOW_TRACKING_URI`` is set in its environment.

One MLflow run is one training job, by its name: a repetition adopts the run, and the evaluation job adds to it. The
registry stays SageMaker's.

Tracking never fails a job and delays it by at most :data:`LIMIT_SECONDS`: whatever goes wrong is a warning in the log.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from include.training.findings import Findings

URI = "MLFLOW_TRACKING_URI"
MODEL_URI = "TRACKED_MODEL_URI"  # the evaluation job's model, whose address names the training job
TRAINING_JOB = "TRAINING_JOB_NAME"  # SageMaker sets it in every training container
LIMIT_SECONDS = 25.0
CONNECT_SECONDS = 3.0
_PORTS = {"http": 80, "https": 443}
# MLflow's own limits are minutes; a variable that is set already stays.
_CLIENT_OPTIONS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
log = logging.getLogger(__name__)


def job_of(model_uri: str) -> str:
    """Returns the name of the training job that wrote a model: ``…/<job>/output/model.tar.gz``."""
    parts = model_uri.split("/")
    return parts[-3] if len(parts) > 3 else ""


def track(findings: Callable[[], Findings]) -> bool:
    """Writes findings to MLflow, if the environment names a server.

    Args:
        findings: Makes them; called only if there is a server.

    Returns:
        Whether they were written.
    """
    uri = os.environ.get(URI, "")
    if not uri:
        return False
    problem = _unreachable(uri)
    if not problem:
        outcome: list[str] = []
        thread = threading.Thread(target=_attempt, args=(uri, findings, outcome), name="tracking", daemon=True)
        thread.start()
        thread.join(LIMIT_SECONDS)
        problem = outcome[0] if outcome else f"it took longer than {LIMIT_SECONDS:.0f} s"
    if problem:
        log.warning("This job is not tracked in MLflow, or only in part: %s. The job goes on.", problem)
    return not problem


def _attempt(uri: str, findings: Callable[[], Findings], outcome: list[str]) -> None:
    """Adds to ``outcome`` what went wrong; an empty text if nothing did."""
    try:
        for name, value in _CLIENT_OPTIONS.items():
            os.environ.setdefault(name, value)
        # Imported here: it takes a second, and most jobs are not tracked.
        from include.training import mlflow_runs

        mlflow_runs.write(uri, findings())
        outcome.append("")
    except BaseException as error:  # nothing of it may reach the job
        outcome.append(f"{type(error).__name__}: {error}".replace(uri, "the server"))


def _unreachable(uri: str) -> str:
    """Why no connection to the server can be made; empty if one can, or if the URI is not an address."""
    parts = urlsplit(uri)
    if parts.scheme not in _PORTS or not parts.hostname:
        return ""
    try:
        socket.create_connection((parts.hostname, parts.port or _PORTS[parts.scheme]), CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        return f"the server at {parts.hostname} does not answer ({error})"
    return ""
