"""``python -m infra.laptop <command>``: what the Makefile's targets call."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date

from infra.laptop.config import LaptopConfig, LaptopError


def main() -> int:
    """Runs one command; 1 when it failed, with what to do next on stderr."""
    arguments = parser().parse_args()
    try:
        config = LaptopConfig.from_env()
        return int(arguments.command(config, arguments) or 0)
    except LaptopError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. What was started goes on running; `make stop` ends it.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """One sub-command a Makefile target."""
    top = argparse.ArgumentParser(prog="python -m infra.laptop", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function, help_text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text)
        sub.set_defaults(command=function)
        return sub

    command("run", run, "the whole loop: two nights on real data")
    command("up", up, "start the platform and create its resources, no more")
    command("stop", stop, "stop what was started")
    command("clean", clean, "stop and delete the state")
    command("status", status, "JSON: processes, live versions, registry, last runs")
    for name in ("ingest", "process", "retrain"):
        sub = command(name, dated, f"trigger {name} and follow it")
        sub.set_defaults(stage=name)
        sub.add_argument("--workload", required=True)
        sub.add_argument("--date", required=True, type=date.fromisoformat)
    sub = command("deploy", deploy, "deploy a version and follow it")
    sub.add_argument("--workload", required=True)
    sub.add_argument("--version", required=True, help="a version number, or `previous`")
    return top


def run(config: LaptopConfig, _: argparse.Namespace) -> int:
    from infra.laptop.loop import run_loop

    return run_loop(config)


def up(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop import platform

    platform.up(config, lambda what: print(f"starting: {what}", flush=True))
    print(f"Airflow {config.airflow_url}   AWS endpoint {config.endpoint}")


def stop(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop import platform

    stopped = platform.down(config)
    print(f"stopped: {', '.join(stopped)}" if stopped else "nothing of ours runs")


def clean(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop import platform

    platform.clean(config)
    print(f"deleted {config.state}")


def status(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop.status import status as read

    print(json.dumps(read(config), indent=2, default=str))


def dated(config: LaptopConfig, arguments: argparse.Namespace) -> None:
    from infra.laptop import stages

    getattr(stages, arguments.stage)(stages.connect(config), arguments.workload, arguments.date)


def deploy(config: LaptopConfig, arguments: argparse.Namespace) -> None:
    from infra.laptop import stages

    stages.deploy(stages.connect(config), arguments.workload, arguments.version)


if __name__ == "__main__":
    sys.exit(main())
