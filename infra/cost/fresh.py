"""Plans an environment with Terraform against a local cloud, in JSON form."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from infra.laptop import terraform
from infra.laptop.config import LaptopConfig


def plan(environment: str) -> dict[str, Any]:
    """The plan of an environment of which nothing exists yet. Progress goes to standard error.

    Raises:
        LaptopError: Terraform is missing, or it found an error.
    """
    with tempfile.TemporaryDirectory(prefix="nightjar-cost-") as folder, contextlib.redirect_stdout(sys.stderr):
        out = Path(folder) / "plan.json"
        terraform.plan(LaptopConfig.from_env(), environment, out=out)
        planned: dict[str, Any] = json.loads(out.read_text())
    return planned
