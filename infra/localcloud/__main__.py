"""``python -m infra.localcloud --config FILE.yaml``: serves until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.localcloud.config import load
from infra.localcloud.errors import ConfigError


def main() -> int:
    """Runs the server; returns the exit code, 2 for a wrong configuration or state that cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m infra.localcloud", description="The local AWS endpoint.")
    parser.add_argument("--config", type=Path, required=True, help="YAML file; see infra/localcloud/README.md")
    arguments = parser.parse_args()
    try:
        config = load(arguments.config)
    except ConfigError as error:
        parser.exit(2, f"{error}\n")
    from infra.localcloud.server import run
    from infra.localcloud.state.errors import StateError

    try:
        run(config)
    except StateError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
