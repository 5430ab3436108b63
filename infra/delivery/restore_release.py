"""After a failed deploy: puts the release that ran before into Terraform's variable ``release``, to be applied again.

On the very first deploy nothing ran before. Then the file stays, because without a release Terraform would delete the
environment.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from infra.delivery import command, tfvars


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.restore_release", description=__doc__)
    made.add_argument("--previous", type=Path, required=True, help="what infra.delivery.select_release wrote before")
    made.add_argument("--tfvars", type=Path, default=tfvars.DEFAULT_FILE, help="file to write (default: %(default)s)")
    return made


def main(given: argparse.Namespace) -> None:
    """Writes the file."""
    content = json.loads(given.previous.read_text())
    if content["release"] is None:
        print("No release ran before this one, so there is none to go back to.")
        return
    tfvars.write(given.tfvars, content)


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
