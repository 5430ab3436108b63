"""A local cloud whose one image runs a script, and task definitions that use it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.ecs_services import CLUSTER
from tests.support.localcloud import ACCOUNT, VENVS, Cloud

ROLE = f"arn:aws:iam::{ACCOUNT}:role/task"
EXECUTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/task-execution"
PORT = 14650
# Prints its arguments and environment, sleeps, and exits: script.py <exit code> <seconds>.
SCRIPT = """
import json, os, sys, time
print(json.dumps({"argv": sys.argv[1:], "environment": dict(os.environ)}), flush=True)
code, seconds = int(sys.argv[1]), float(sys.argv[2])
time.sleep(seconds)
sys.exit(code)
"""


def start_script_cloud(start_cloud: Callable[..., Cloud], folder: Path, **image: Any) -> Cloud:
    """A server with the image ``script:1``, whose script is written to ``folder``, and a cluster."""
    (folder / "script.py").write_text(SCRIPT)
    settings = {
        "python": str(VENVS / "test" / "bin" / "python"),
        "cwd": str(folder),
        "env": {"HOST": "{host}"},
        "command": ["python", "script.py", "0", "0.2"],
    }
    cloud = start_cloud(images={"script:1": {**settings, **image}})
    cloud.client("ecs").create_cluster(clusterName=CLUSTER)
    return cloud


@pytest.fixture(scope="module")
def tasks(start_cloud: Callable[..., Cloud], tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """A server of a test module's own, which runs the script."""
    return start_script_cloud(start_cloud, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def ecs(tasks: Cloud) -> Any:
    """Its client of ECS."""
    return tasks.client("ecs")


def define(ecs: Any, family: str, **container: Any) -> str:
    """Registers a task definition with one container; returns its ARN."""
    settings = {
        "name": "main",
        "image": "script:1",
        "portMappings": [{"containerPort": PORT}],
        "stopTimeout": 2,
        **container,
    }
    definition = ecs.register_task_definition(
        family=family,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        taskRoleArn=ROLE,
        executionRoleArn=EXECUTION_ROLE,
        containerDefinitions=[settings],
    )
    return definition["taskDefinition"]["taskDefinitionArn"]
