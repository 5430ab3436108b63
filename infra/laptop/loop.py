"""``make run`` and ``make nights``: starts the stack, then makes every workload's nights on real data.

The history before the first night is processed by one run. The nights themselves are Airflow's: its scheduler makes
their runs, and this follows them. On existing state it checks that the live versions answer, and makes only the nights
that earlier commands have not finished.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from include.errors import NightjarError
from include.workloads import Workload
from infra.laptop import bounds, replay, stack, stages, summary
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.history_source import HistorySource
from infra.laptop.nights import Nights
from infra.laptop.progress import Reporter
from infra.laptop.side_by_side import side_by_side
from infra.laptop.stack import Stack
from infra.laptop.stages import Connection

SUMMARIZED = 2  # nights of a workload; the page has all of them


def run_loop(config: LaptopConfig, to: date | None = None, only: str | None = None) -> int:
    """Runs the whole loop. A workload that fails, or does not load, does not keep the others from running.

    Args:
        config: The stack's settings.
        to: The last night; default: each workload's second one.
        only: The only workload that runs; default: all, at the same time.

    Returns:
        0, or 1 after an error. Then stderr has each stage that failed and the end of its log.
    """
    reporter = Reporter()
    try:
        failures = _run(config, to, only, reporter)
    except NightjarError as error:
        failures = [_failure(reporter, error)]
    if not failures:
        return 0
    print("\n" + "\n\n".join(failures) + "\n", file=sys.stderr)
    print(
        "What was started keeps running, so that you can look at it. Run the command again: it continues from here. "
        "`make stop` stops the stack.",
        file=sys.stderr,
    )
    return 1


def _failure(reporter: Reporter, error: NightjarError) -> str:
    return f"`{reporter.current}` failed.\n{error}"


def _run(config: LaptopConfig, to: date | None, only: str | None, reporter: Reporter) -> list[str]:
    """Returns what failed, in the order in which it happened."""
    with reporter.stage("start the laptop stack"):
        running = stack.start(config, reporter.say)
        resources = running.resources
        for warning in running.warnings():
            reporter.say(warning)
        connection = stages.connect(config, reporter)
        connection.airflow.wait_for_dags(
            [f"{workload.name}_{dag}" for workload in resources.workloads for dag in stages.dags_of(workload)]
        )
    failures = [f"The workload {name} is left out.\n{reason}" for name, reason in resources.left_out.items()]
    chosen = [workload for workload in resources.workloads if only in (None, workload.name)]
    outcomes: dict[str, dict[date, str]] = {workload.name: {} for workload in chosen}
    failures += _run_workloads(running, connection, chosen, to, outcomes)
    outcomes = {name: dict([*days.items()][-SUMMARIZED:]) for name, days in outcomes.items() if days}
    summary.write(connection, summary.collect(connection, resources, outcomes, reporter.stages))
    return failures


def _run_workloads(
    running: Stack,
    connection: Connection,
    workloads: Sequence[Workload],
    to: date | None,
    outcomes: dict[str, dict[date, str]],
) -> list[str]:
    """Runs the workloads, several at the same time: while one waits for a job, another uses the machine.

    Returns:
        What failed.
    """
    connections = {workload.name: connection for workload in workloads}
    if len(workloads) > 1:
        reporters = {workload.name: connection.reporter.of(workload.name) for workload in workloads}
        connections = {name: stages.connect(running.config, reporter) for name, reporter in reporters.items()}
    calls = {
        workload.name: partial(_run_workload, running, connections[workload.name], workload, to, outcomes)
        for workload in workloads
    }
    failures = []
    for name, error in side_by_side(calls).items():
        if not isinstance(error, NightjarError):
            raise error
        failures.append(_failure(connections[name].reporter, error))
    return failures


def _run_workload(
    running: Stack, connection: Connection, workload: Workload, to: date | None, outcomes: dict[str, dict[date, str]]
) -> None:
    config, name, reporter = running.config, workload.name, connection.reporter
    if begun := bounds.read(config, name):
        config = config.model_copy(update={"night": begun.first})
    last = to or config.second_night
    with reporter.stage(f"{name}: look for a live version"):
        sentence = stages.wait_until_live(connection, name, running.resources.service_urls[name])
        reporter.say(f"continuing from existing state: {sentence}" if sentence else "none is live")
    if not replay.has_history(name):
        reporter.say(
            f"{name} has no history to replay: send events to its stream {workload.stream.name}, "
            f"then run `make ingest`, `make process` and `make retrain` with WORKLOAD={name} and DATE"
        )
        return
    with reporter.stage(f"{name}: open the history"):
        source = HistorySource.open(name, config.data)
        source.require_days(config.first_day, last)
    if reason := running.refused_tables.get(name):
        with reporter.stage(f"{name}: source tables"):
            raise LaptopError(reason)
    start, end = config.first_day - source.recorded_ahead, last + timedelta(days=1)
    nights = Nights(connection, replay.History(workload, config.data, start, end))
    outcomes[name] = nights.outcomes
    if config.first_day < config.night:
        nights.process_history(config.first_day, config.night - timedelta(days=1))
    nights.run_row(config.night, last)
