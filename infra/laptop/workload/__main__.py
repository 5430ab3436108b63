"""``python -m infra.laptop.workload new | validate``: behind ``make workload`` and ``make validate``."""

from __future__ import annotations

import sys

from include.errors import NightjarError
from infra.laptop import arguments
from infra.laptop.config import LaptopConfig
from infra.laptop.workload.new import lay_out
from infra.laptop.workload.validate import validate


def main(given: list[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit code: 0, or 1 when something is wrong.
    """
    top = arguments.MakeParser(prog="python -m infra.laptop.workload", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND", dest="command")
    new = commands.add_parser("new", help="lay out the folder of a new workload")
    new.example = "workload NAME=orders"
    new.add_argument("--name", required=True)
    check = commands.add_parser("validate", help="check the folders of workloads")
    check.example = "validate WORKLOAD=orders"
    check.add_argument("--workload", help="only this one")
    arguments_ = top.parse_args(given)
    try:
        return _new(arguments_.name) if arguments_.command == "new" else _validate(arguments_.workload)
    except NightjarError as error:
        print(error, file=sys.stderr)
        return 1


def _new(name: str) -> int:
    folder = lay_out(name)
    print(
        f"wrote {folder}: a workload that runs as it is, on invented events.\n"
        f"Next: make validate WORKLOAD={name}, then make run WORKLOAD={name}. docs/workload.md says what to replace."
    )
    return 0


def _validate(only: str | None) -> int:
    found = validate(LaptopConfig.from_env(), only)
    for name, problems in found.items():
        print(f"{name}: " + ("valid" if not problems else "not valid\n" + "\n".join(problems)))
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
