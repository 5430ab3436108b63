"""``python -m infra.laptop COMMAND``: the commands behind the Makefile's targets."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from datetime import date

from infra.laptop.config import LaptopConfig, LaptopError

Command = Callable[[LaptopConfig, argparse.Namespace], int | None]


def main() -> int:
    """Runs one command.

    Returns:
        The exit code: 0, 1 after an error (its text is on stderr), or 130 after an interrupt.
    """
    os.umask(0o077)  # state and logs contain keys and data
    arguments = parser().parse_args()
    try:
        config = LaptopConfig.from_env()
        return int(arguments.command(config, arguments) or 0)
    except LaptopError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The processes that were started keep running; `make stop` stops them.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The command line: one sub-command for each Makefile target."""
    top = argparse.ArgumentParser(prog="python -m infra.laptop", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: Command, help_text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text)
        sub.set_defaults(command=function)
        return sub

    command(
        "run", _run, "start the stack, then ingest, process, train and deploy the days of real data that are not done"
    )
    command("up", _up, "start the stack and create its AWS resources, nothing more")
    command("stop", _stop, "stop the stack")
    command("clean", _clean, "stop the stack and delete its state")
    command("status", _status, "print processes, live versions, registered versions and the last DAG runs as JSON")
    for name in ("ingest", "process", "retrain"):
        sub = command(name, _dated, f"trigger {name} and follow the run")
        sub.set_defaults(stage=name)
        sub.add_argument("--workload", required=True)
        sub.add_argument("--date", required=True, type=date.fromisoformat)
    sub = command("deploy", _deploy, "deploy a version and follow the run")
    sub.add_argument("--workload", required=True)
    sub.add_argument("--version", required=True, help="a version number, `previous` or `repair`")
    sub.add_argument("--reason", help="why to go back to a version that was once live")
    return top


# Each command imports what it needs, so that `stop` and `status` start quickly.


def _run(config: LaptopConfig, _: argparse.Namespace) -> int:
    from infra.laptop.loop import run_loop

    return run_loop(config)


def _up(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop import stack

    stack.start(config, lambda part: print(f"starting: {part}", flush=True))
    print(f"Airflow {config.airflow_url}   AWS endpoint {config.endpoint}")


def _stop(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop import stack

    stopped = stack.stop(config)
    print(f"stopped: {', '.join(stopped)}" if stopped else "Nothing is running.")


def _clean(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop import stack

    stack.clean(config)
    print(f"deleted {config.state}")


def _status(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop.status import status

    print(json.dumps(status(config), indent=2, default=str))


def _dated(config: LaptopConfig, arguments: argparse.Namespace) -> None:
    from infra.laptop import stages

    getattr(stages, arguments.stage)(stages.connect(config), arguments.workload, arguments.date)


def _deploy(config: LaptopConfig, arguments: argparse.Namespace) -> None:
    from infra.laptop import stages

    stages.deploy(stages.connect(config), arguments.workload, arguments.version, arguments.reason)


if __name__ == "__main__":
    sys.exit(main())
