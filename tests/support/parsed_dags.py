"""The DAG files as two fresh interpreters parse them; shared by the policy tests and each DAG's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="nightjar-airflow-")  # removed when this process ends
SETTINGS = {
    "NIGHTJAR_RAW_BUCKET": "nj-raw",
    "NIGHTJAR_LAKE_BUCKET": "nj-lake",
    "NIGHTJAR_ARTIFACT_BUCKET": "nj-artifact",
    "NIGHTJAR_TRAINING_IMAGE": "training:1",
    "NIGHTJAR_TRAINING_ROLE_ARN": "arn:aws:iam::123456789012:role/training",
    "NIGHTJAR_SERVING_IMAGE": "serving:1",
    "NIGHTJAR_ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
}


def environment(**more: str) -> dict[str, str]:
    """Returns a clean environment with the DAGs' settings and without AWS."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    home = {
        "AIRFLOW_HOME": AIRFLOW_HOME.name,
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),  # the DAGs name a priority strategy of the plugin
    }
    return {**keep, **home, **SETTINGS, "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}", **more}


def python(*arguments: str, **more: str) -> str:
    """Runs this interpreter on a script; returns its standard output."""
    done = subprocess.run(
        [sys.executable, *arguments], env=environment(**more), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(f"{arguments} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


@cache
def parsed(hash_seed: str = "1", folder: Path = ROOT / "dags") -> dict[str, Any]:
    """Returns the output of ``parse_dags.py``: ``files`` by name (``dags``, ``imports``, …) and ``modules``."""
    output = python(str(ROOT / "tests" / "support" / "parse_dags.py"), str(folder), PYTHONHASHSEED=hash_seed)
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def dag(dag_id: str) -> dict[str, Any]:
    """Returns one DAG of the tree."""
    found: dict[str, Any] = next(file["dags"][dag_id] for file in parsed()["files"].values() if dag_id in file["dags"])
    return found
