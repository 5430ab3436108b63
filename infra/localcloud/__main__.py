"""``python -m infra.localcloud --config FILE.yaml``: serves until it is told to end."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .config import ConfigError, load


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.localcloud", description="The local AWS endpoint.")
    parser.add_argument("--config", type=Path, required=True, help="YAML file; see infra/localcloud/README.md")
    arguments = parser.parse_args()
    try:
        config = load(arguments.config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    from .server import run

    run(config)
    return 0


if __name__ == "__main__":
    sys.exit(main())
