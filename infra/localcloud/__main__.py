"""``python -m infra.localcloud --config FILE.yaml``: serves until SIGTERM or SIGINT.

``python -m infra.localcloud credentials --config FILE.yaml`` prints the operator's key as shell exports, and
``python -m infra.localcloud usage --config FILE.yaml`` compares the recorded requests with the roles' policies.
``python -m infra.localcloud class-data --config FILE.yaml`` makes an archive with which Glue jobs start faster.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from infra.localcloud.config import Config, load
from infra.localcloud.errors import ConfigError, LocalCloudError

COMMANDS = ("serve", "credentials", "usage", "class-data")


def main() -> int:
    """Runs a command; returns the exit code, 2 for a wrong configuration or state that cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m infra.localcloud", description="The local AWS endpoint.")
    parser.add_argument("command", nargs="?", choices=COMMANDS, default="serve", help="serve is the default")
    parser.add_argument("--config", type=Path, required=True, help="YAML file; see infra/localcloud/README.md")
    arguments = parser.parse_args()
    try:
        config = load(arguments.config)
    except ConfigError as error:
        parser.exit(2, f"{error}\n")
    if arguments.command == "credentials":
        sys.stdout.write(credentials(config))
    elif arguments.command == "usage":
        from infra.localcloud.authorization.usage import report

        sys.stdout.write(report(config))
    elif arguments.command == "class-data":
        from infra.localcloud.glue.class_data import make_archive

        try:
            sys.stdout.write(f"{make_archive(config)}\n")
        except LocalCloudError as error:
            parser.exit(1, f"{error}\n")
    else:
        from infra.localcloud.server import run
        from infra.localcloud.state.errors import StateError

        try:
            return run(config)
        except StateError as error:
            parser.exit(2, f"{error}\n")
    return 0


def credentials(config: Config) -> str:
    """The operator's key as exports for a shell: ``eval "$(python -m infra.localcloud credentials --config …)"``."""
    from infra.localcloud.authorization.operator_key import load_or_create

    key = load_or_create(config.state)
    variables = {
        "AWS_ENDPOINT_URL": config.endpoint,
        "AWS_DEFAULT_REGION": config.region,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
    }
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    return "".join([*lines, "unset AWS_SESSION_TOKEN AWS_PROFILE\n"])


if __name__ == "__main__":
    sys.exit(main())
