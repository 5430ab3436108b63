"""``python -m infra.laptop.class_data``: set-up makes the archive with which Glue jobs start faster."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from infra.laptop import cloud
from infra.laptop.config import ROOT, LaptopConfig


def main() -> int:
    """Runs the local cloud's command with the stack's configuration; returns its exit code."""
    config = LaptopConfig.from_env()
    with tempfile.TemporaryDirectory(prefix="nightjar-class-data-") as folder:
        file = Path(folder) / "cloud.yaml"
        file.write_text(yaml.safe_dump(cloud.settings(config)))
        argv = [str(config.python("localcloud")), "-m", "infra.localcloud", "class-data", "--config", str(file)]
        return subprocess.run(argv, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
