"""``make launch``: trains a workload's model by hand on the local cloud, through the SageMaker SDK."""

from __future__ import annotations

import json
import os
import subprocess

from infra.laptop.aws import operator_key_file
from infra.laptop.bootstrap import settings
from infra.laptop.config import REGION, ROOT, LaptopConfig, LaptopError

ENVIRONMENT = "sdk"
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


def launch(config: LaptopConfig, workload: str, dataset: str, values: str) -> int:
    """Runs ``include.training.launch`` in the environment of the SDK, as the operator; returns its exit code.

    Args:
        config: The laptop's configuration.
        workload: The workload's name.
        dataset: Version of the data set, its first digits, or ``newest``.
        values: Hyperparameters, as ``name=value`` with spaces between them.

    Raises:
        LaptopError: The SDK is not installed.
    """
    python = config.python(ENVIRONMENT)
    if not python.exists():
        raise LaptopError("The SageMaker SDK is not installed. Install it with `make setup-sdk` (some 700 MB).")
    command = [str(python), "-m", "include.training.launch", "--workload", workload, "--dataset", dataset]
    command += ["--set", values] if values else []
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return subprocess.run(command, cwd=ROOT, env={**inherited, **environment(config)}, check=False).returncode


def environment(config: LaptopConfig) -> dict[str, str]:
    """The variables with which the SDK talks to the local cloud, and which the launcher reads."""
    key = json.loads(operator_key_file(config).read_text())
    return {
        "AWS_ENDPOINT_URL": config.endpoint,
        "AWS_ACCESS_KEY_ID": key["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
        **settings().to_env(),
    }
