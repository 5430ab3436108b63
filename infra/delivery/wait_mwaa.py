"""Waits until the MWAA environment is available with a release."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from infra.delivery import aws, command, mwaa, tfvars


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.wait_mwaa", description=__doc__)
    made.add_argument("--environment", default="nightjar", help="the MWAA environment (default: %(default)s)")
    made.add_argument("--tfvars", type=Path, default=tfvars.DEFAULT_FILE, help="the release (default: %(default)s)")
    made.add_argument("--timeout", type=float, default=3600, help="seconds to wait (default: %(default)s)")
    made.add_argument("--poll-seconds", type=float, default=15, help="seconds between two looks (default: %(default)s)")
    aws.add_arguments(made)
    return made


def main(given: argparse.Namespace) -> None:
    """Waits."""
    code_sha = json.loads(given.tfvars.read_text())["release"]["code_sha"]
    client = aws.account(given).client("mwaa")
    mwaa.wait(client, given.environment, code_sha, timeout=given.timeout, poll_seconds=given.poll_seconds)
    print(f"{given.environment} is AVAILABLE with release {code_sha}")


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
