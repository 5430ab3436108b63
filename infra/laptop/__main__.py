"""``python -m infra.laptop COMMAND``: the commands behind the Makefile's targets."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from include.errors import NightjarError
from infra.laptop import arguments
from infra.laptop.config import LaptopConfig
from infra.laptop.exclusive import exclusively, interrupting

Command = Callable[[LaptopConfig, argparse.Namespace], int | None]


def main() -> int:
    """Runs one command.

    Returns:
        The exit code: 0, 1 after an error (its text is on stderr), or 130 after an interrupt.
    """
    os.umask(0o077)  # state and logs contain keys and data
    given = parser().parse_args()
    try:
        config = LaptopConfig.from_env()
        return int(given.command(config, given) or 0)
    except NightjarError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("\nInterrupted. The processes that were started keep running; `make stop` stops them.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The command line: one sub-command for each Makefile target."""
    top = arguments.MakeParser(prog="python -m infra.laptop", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: Command, help_text: str, example: str = "") -> arguments.MakeParser:
        sub = commands.add_parser(name, help=help_text)
        sub.set_defaults(command=function)
        sub.example = f"{name} {example}".strip()
        return sub

    for name, help_text, example in (
        ("run", "start the stack, then make the nights that are not done", "WORKLOAD=flights"),
        ("nights", "make the nights up to a day, from where the laptop is", "TO=2013-06-30"),
        ("year", "make every night that the history has, or a part of it", "FROM=2013-03-01 TO=2013-12-31"),
    ):
        sub = command(name, _run, help_text, example)
        sub.add_argument("--workload", type=arguments.workload, help="only this one; default: all")
        sub.set_defaults(row=name, to=None)
        if name != "run":
            sub.add_argument("--to", required=name == "nights", type=arguments.day, help="the last night")
    sub.add_argument("--from", dest="first", type=arguments.day, help="the first night, in a new run folder")
    command("up", _up, "start the stack, create its AWS resources and fill its source tables, nothing more")
    command("stop", _stop, "stop the stack")
    command("clean", _clean, "stop the stack and delete its state")
    sub = command("restart", _restart, "stop and start the stack, or one process of it", "WHAT=scheduler")
    sub.add_argument("--what", help="a process, or airflow for its four")
    sub = command("status", _status, "print what runs, what is dead, what is live, and the last DAG runs", "JSON=1")
    sub.add_argument("--json", action="store_true", help="print JSON")
    sub = command("costs", _costs, "print what a workload has cost in a month", "WORKLOAD=flights MONTH=2026-11")
    sub.add_argument("--workload", required=True, type=arguments.workload)
    sub.add_argument("--month", type=arguments.month, help="default: this one")
    sub.add_argument("--json", action="store_true", help="print JSON")
    sub = command("alerts", _alerts, "print what a person would have been sent, and the open alarms", "JSON=1")
    sub.add_argument("--json", action="store_true", help="print JSON")
    command("dashboard", _dashboard, "draw CloudWatch's dashboard of the last hours as a page")
    sub = command("drill", _drill, "cause an alarm for real, and wait until it is told and over", "ALARM=client-errors")
    sub.add_argument("--alarm", help="the alarm's page in docs/runbooks; default: list the drills")
    sub.add_argument("--workload", type=arguments.workload, help="whose service is used; default: the first")
    sub = command("logs", _logs, "list the logs, or print the end of one", "WHAT=scheduler LINES=100")
    sub.add_argument("--what", help="a process, or a part of the path of a job's or service's log")
    sub.add_argument("--lines", type=arguments.lines, default=50)
    sub.add_argument("--follow", action="store_true", help="print what is added, until interrupted")
    sub = command("airflow", _airflow, "run Airflow's own command line on the stack", 'ARGS="dags list"')
    sub.add_argument("args", nargs=argparse.REMAINDER, help="`--`, then Airflow's arguments")
    sub = command("query", _query, "run an Athena query", 'SQL="select * from flights_scheduled limit 5"')
    sub.add_argument("--sql", required=True)
    for name in ("ingest", "process", "retrain"):
        sub = command(name, _dated, f"trigger {name} and follow the run", "WORKLOAD=flights DATE=2013-06-20")
        sub.set_defaults(stage=name)
        sub.add_argument("--workload", required=True, type=arguments.workload)
        sub.add_argument("--date", required=True, type=arguments.day)
    sub = command("launch", _launch, "train by hand", 'WORKLOAD=flights SET="learning_rate=0.1"')
    sub.add_argument("--workload", required=True, type=arguments.workload)
    sub.add_argument("--dataset", default="newest", help="version of the data set, or its first digits")
    sub.add_argument("--set", default="", help="hyperparameters, name=value with spaces between them")
    sub = command("backfill", _backfill, "process a range in chunks", "WORKLOAD=flights FROM=2013-01-01 TO=2013-12-31")
    sub.add_argument("--workload", required=True, type=arguments.workload)
    sub.add_argument("--from", required=True, dest="first", type=arguments.day)
    sub.add_argument("--to", required=True, dest="last", type=arguments.day)
    sub.add_argument("--chunk", type=int)
    sub.add_argument("--retrain")
    sub.add_argument("--dry-run", action="store_true")
    sub.add_argument("--yes", action="store_true")
    sub = command("monitor", _monitor, "compare what arrives with the live model's training data", "WORKLOAD=flights")
    sub.add_argument("--workload", required=True, type=arguments.workload)
    sub.add_argument("--date", type=arguments.day, help="the newest published day to compare; default: the newest")
    sub = command("requeue", _requeue, "read quarantined records again, after a mend", "WORKLOAD=flights")
    sub.add_argument("--workload", required=True, type=arguments.workload)
    command("reports", _reports, "copy the Data Docs of every audited day to this machine, with an index")
    command("iam", _iam, "compare the roles' policies with the calls that the tests recorded")
    sub = command("deploy", _deploy, "deploy a version and follow the run", "WORKLOAD=flights VERSION=previous")
    sub.add_argument("--workload", required=True, type=arguments.workload)
    sub.add_argument(
        "--version", required=True, type=arguments.version, help="a number, `latest`, `previous`, `live` or `repair`"
    )
    sub.add_argument("--reason", help="why to go back to a version that was once live")
    sub.add_argument("--release-hold", action="store_true", help="end the hold that a rollback has set")
    sub = command("approve", _approve, "approve a version and deploy it", 'WORKLOAD=flights VERSION=7 REASON="…"')
    sub.add_argument("--workload", required=True, type=arguments.workload)
    sub.add_argument("--version", required=True, type=arguments.number)
    sub.add_argument("--reason", required=True, help="why")
    for name, example in (("freeze", 'UNTIL=2026-12-27 REASON="…"'), ("unfreeze", 'REASON="…"')):
        sub = command(name, _freeze, f"{name} the deploys of a workload", f"WORKLOAD=flights {example}")
        sub.set_defaults(until=None)
        sub.add_argument("--workload", required=True, type=arguments.workload)
        sub.add_argument("--reason", required=True, help="why")
        if name == "freeze":
            sub.add_argument("--until", required=True, help="a day, to its end, or an instant: it ends by itself")
    for name, function, help_text in (
        ("plan", _plan, "plan Terraform's resources against a local cloud, and count them by module"),
        ("apply-local", _apply_local, "apply Terraform's configuration to a local cloud"),
    ):
        sub = command(name, function, help_text, "ENV=prod")
        sub.add_argument("--env", default="local", help="dev, prod or local")
    return top


# Each command imports what it needs, so that `stop` and `status` start quickly.


def _run(config: LaptopConfig, given: argparse.Namespace) -> int:
    with exclusively(config, f"make {given.row}"):
        from infra.laptop.loop import run_loop

        to = given.to
        if given.row == "year":
            from infra.laptop.year import whole_row

            config, to = whole_row(config, given.workload, given.first, to)
        return run_loop(config, to, given.workload)


def _up(config: LaptopConfig, _: argparse.Namespace) -> None:
    with exclusively(config, "up"):
        _start(config)


def _start(config: LaptopConfig) -> None:
    from infra.laptop import stack

    started = stack.start(config, lambda part: print(f"starting: {part}", flush=True))
    for warning in started.warnings():
        print(warning, file=sys.stderr)
    print(f"Airflow {config.airflow_url}   AWS endpoint {config.endpoint}")


def _stop(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop import stack

    with interrupting(config, "make stop"):
        stopped = stack.stop(config)
    print(f"stopped: {', '.join(stopped)}" if stopped else "Nothing is running.")


def _clean(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop import stack

    with interrupting(config, "make clean"):
        stack.clean(config)
    print(f"deleted {config.state}")


def _restart(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import parts, stack

    names = parts.find(given.what) if given.what else None
    with exclusively(config, "make restart"):
        if names:
            started = stack.restart(config, names, print)
            for warning in started.warnings() if started else ():
                print(warning, file=sys.stderr)
        else:
            stack.stop(config)
            _start(config)


def _status(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop.status import status

    found = status(config)
    if given.json:
        print(json.dumps(found, indent=2, default=str))
        return
    from rich.console import Console

    from infra.laptop.status_table import show

    show(Console(highlight=False), found, datetime.now(UTC))


def _costs(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import costs

    costs.command(config, given)


def _alerts(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop.inbox.command import command

    command(config, as_json=given.json)


def _dashboard(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop import parts, vitals
    from infra.laptop.aws import Aws
    from infra.laptop.dashboard import page

    vitals.require_running(config, (parts.CLOUD,))
    print(f"Open {page.write(config, Aws(config), datetime.now(UTC)).as_uri()}")


def _drill(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop.drills.command import command

    command(config, given.alarm, given.workload)


def _logs(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import logs

    if given.what:
        logs.show(logs.find(config, given.what), given.lines, follow=given.follow)
        return
    print("\n".join(logs.listing(config)) or "There are no logs yet. Start the stack with `make run`.")
    print("\nThe end of one: make logs WHAT=scheduler [LINES=100] [FOLLOW=1]")


def _airflow(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import airflow

    airflow.become_command_line(config, given.args[1:])  # without the `--` that keeps their options from this parser


def _query(config: LaptopConfig, given: argparse.Namespace) -> None:
    from rich.console import Console

    from infra.laptop import parts, query, vitals
    from infra.laptop.aws import Aws

    vitals.require_running(config, (parts.CLOUD,))
    query.show(Console(highlight=False), query.run(Aws(config), given.sql))


def _dated(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import stages

    getattr(stages, given.stage)(stages.connect(config), given.workload, given.date)


def _backfill(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import backfill

    backfill.command(config, given)


def _monitor(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import stages

    stages.monitor(stages.connect(config), given.workload, given.date)


def _launch(config: LaptopConfig, given: argparse.Namespace) -> int:
    from infra.laptop import launch, parts, vitals

    vitals.require_running(config, (parts.CLOUD,))
    return launch.launch(config, given.workload, given.dataset, given.set)


def _requeue(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import stages

    stages.requeue(stages.connect(config), given.workload)


def _reports(config: LaptopConfig, _: argparse.Namespace) -> None:
    from infra.laptop import reports, stages

    connection = stages.connect(config)
    index = reports.write_reports(connection.aws, connection.state_table, config.state / "reports")
    print(f"Open {index.as_uri()}" if index else "No day has been audited: run `make process` first.")


def _iam(config: LaptopConfig, _: argparse.Namespace) -> int:
    from infra.laptop.iam.report import report

    text, code = report(config)
    print(text, end="")
    return code


def _deploy(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import stages

    connection = stages.connect(config)
    stages.deploy(connection, given.workload, given.version, given.reason, release_hold=given.release_hold)


def _approve(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import approval, stages

    approval.approve(stages.connect(config), given.workload, given.version, given.reason)


def _freeze(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import freeze

    print(freeze.command(config, given.workload, given.until, given.reason))


def _plan(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import terraform

    terraform.plan(config, given.env)


def _apply_local(config: LaptopConfig, given: argparse.Namespace) -> None:
    from infra.laptop import terraform

    terraform.apply_local(config, given.env)


if __name__ == "__main__":
    sys.exit(main())
