"""``make run``: starts the stack, then runs two days of every workload on real data and through the real scheduler.

On existing state it checks that the live versions answer, and runs only what earlier runs have not finished.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from include.errors import NightjarError
from include.workloads import Workload
from infra.laptop import replay, stack, stages, summary
from infra.laptop.config import LaptopConfig
from infra.laptop.progress import Reporter
from infra.laptop.stack import Stack
from infra.laptop.stages import Connection

# An event may be recorded this long before the day it belongs to (flights: a day ahead), so the replay starts earlier.
RECORDED_AHEAD = timedelta(days=1)


@dataclass
class Loop:
    """A running stack, and the outcomes of the deploys so far: workload → day → outcome."""

    stack: Stack
    connection: Connection
    outcomes: dict[str, dict[date, str]] = field(default_factory=dict)

    def load(self, workload: Workload) -> None:
        """Fills the workload's tables in PostgreSQL."""
        if workload.database is None:
            return
        with self.connection.reporter.stage(f"{workload.name}: load reference tables"):
            added = replay.load_tables(self.stack.postgres, workload, self.stack.config.data)
            self.connection.reporter.say(", ".join(f"{table} +{rows}" for table, rows in added.items()))

    def run_day(self, history: replay.History, first: date, day: date) -> None:
        """Replays events up to the end of ``day``, ingests, processes ``first`` to ``day``, retrains and deploys.

        A day that an earlier run has finished stays as it is.
        """
        reporter, name = self.connection.reporter, history.workload.name
        if outcome := self._finished(history, day):
            with reporter.stage(f"{name} {day}: finished by an earlier run"):
                reporter.say(outcome)
            self.outcomes.setdefault(name, {})[day] = outcome
            return
        with reporter.stage(f"{name} {day}: replay events into Kinesis"):
            table = self.stack.resources.settings.state_table
            sent = history.replay(self.stack.aws, table, day + timedelta(days=1), reporter)
            reporter.say(f"{sent} events" if sent else "replayed by an earlier run")
        with reporter.stage(f"{name} {day}: ingest"):
            stages.ingest(self.connection, name, day)
        with reporter.stage(f"{name} {day}: process"):
            stages.process(self.connection, name, first, day if day > first else None)
        triggered_at = datetime.now(UTC)
        with reporter.stage(f"{name} {day}: retrain"):
            stages.retrain(self.connection, name, day)
        with reporter.stage(f"{name} {day}: deploy"):
            outcome = stages.follow_deploy(self.connection, name, day, triggered_at)
            reporter.say(outcome)
        self.outcomes.setdefault(name, {})[day] = outcome

    def _finished(self, history: replay.History, day: date) -> str | None:
        name, table = history.workload.name, self.stack.resources.settings.state_table
        replayed = replay.replayed_to(self.stack.aws, table, name)
        if replayed is None or replayed <= day:
            return None
        return stages.finished(self.connection, name, day)


def run_loop(config: LaptopConfig) -> int:
    """Runs the whole loop. A workload that fails, or does not load, does not keep the others from running.

    Returns:
        0, or 1 after an error. Then stderr has each stage that failed and the end of its log.
    """
    reporter = Reporter()
    try:
        failures = _run(config, reporter)
    except NightjarError as error:
        failures = [_failure(reporter, error)]
    if not failures:
        return 0
    print("\n" + "\n\n".join(failures) + "\n", file=sys.stderr)
    print(
        "The stack keeps running, so that you can look at it. Run the command again: it continues from here. "
        "`make stop` stops the stack.",
        file=sys.stderr,
    )
    return 1


def _failure(reporter: Reporter, error: NightjarError) -> str:
    return f"`{reporter.current}` failed.\n{error}"


def _run(config: LaptopConfig, reporter: Reporter) -> list[str]:
    """Returns what failed, in the order in which it happened."""
    with reporter.stage("start the laptop stack"):
        running = stack.start(config, reporter.say)
        resources = running.resources
        for name, reason in resources.left_out.items():
            reporter.say(f"{name} is left out:\n{reason}")
        connection = stages.connect(config, reporter)
        connection.airflow.wait_for_dags(
            [f"{workload.name}_{dag}" for workload in resources.workloads for dag in stages.dags_of(workload)]
        )
    failures = [f"The workload {name} is left out.\n{reason}" for name, reason in resources.left_out.items()]
    loop = Loop(running, connection)
    for workload in resources.workloads:
        try:
            _run_workload(loop, workload)
        except NightjarError as error:
            failures.append(_failure(reporter, error))
    summary.write(connection, summary.collect(connection, resources, loop.outcomes, reporter.stages))
    return failures


def _run_workload(loop: Loop, workload: Workload) -> None:
    config, name, reporter = loop.stack.config, workload.name, loop.connection.reporter
    with reporter.stage(f"{name}: look for a live version"):
        sentence = stages.wait_until_live(loop.connection, name, loop.stack.resources.service_urls[name])
        reporter.say(f"continuing from existing state: {sentence}" if sentence else "none is live")
    if not replay.has_history(name):
        reporter.say(
            f"{name} has no history to replay: send events to its stream {workload.stream.name}, "
            f"then run `make ingest`, `make process` and `make retrain` with WORKLOAD={name} and DATE"
        )
        return
    loop.load(workload)
    second = config.night + timedelta(days=1)
    start, end = config.first_day - RECORDED_AHEAD, second + timedelta(days=1)
    history = replay.History(workload, config.data, start, end)
    loop.run_day(history, config.first_day, config.night)
    loop.run_day(history, second, second)
