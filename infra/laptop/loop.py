"""``make run``: the platform up, then two nights of every workload, on real data and through the real scheduler."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from infra.laptop import platform, replay, stages, summary
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.platform import Up
from infra.laptop.progress import Reporter
from infra.laptop.runs import Airflow
from infra.laptop.stages import DAGS, Connection

# An event may be recorded this long before the day it is about (flights: a day ahead), so the replay begins earlier.
RECORDED_AHEAD = timedelta(days=1)


@dataclass
class Loop:
    """A platform that runs, and what came of the nights so far."""

    up: Up
    connection: Connection
    outcomes: dict[str, dict[date, str]] = field(default_factory=dict)

    def load(self, workload) -> None:
        """Fills the workload's tables in PostgreSQL."""
        if workload.database is None:
            return
        with self.connection.reporter.stage(f"{workload.name}: load reference tables"):
            added = replay.load_tables(self.up.postgres, workload, self.up.config.data)
            self.connection.reporter.say(", ".join(f"{table} +{rows}" for table, rows in added.items()))

    def night(self, history: replay.History, first: date, night: date) -> None:
        """Replays up to the end of ``night``, then ingest, process ``first`` to ``night``, retrain, deploy."""
        reporter, name = self.connection.reporter, history.workload.name
        with reporter.stage(f"{name} {night}: replay events into Kinesis"):
            table = self.up.platform.settings.state_table
            sent = history.replay(self.up.aws, table, night + timedelta(days=1), reporter)
            reporter.say(f"{sent} events" if sent else "replayed before")
        with reporter.stage(f"{name} {night}: ingest"):
            stages.ingest(self.connection, name, night)
        with reporter.stage(f"{name} {night}: process"):
            stages.process(self.connection, name, first, night if night > first else None)
        asked_at = datetime.now(UTC)
        with reporter.stage(f"{name} {night}: retrain"):
            stages.retrain(self.connection, name, night)
        with reporter.stage(f"{name} {night}: deploy"):
            outcome = stages.deploy_night(self.connection, name, night, asked_at)
            reporter.say(outcome)
        self.outcomes.setdefault(name, {})[night] = outcome


def run_loop(config: LaptopConfig) -> int:
    """The whole loop; 1, with the stage and the log of what failed on stderr, when anything did."""
    reporter = Reporter()
    try:
        _run(config, reporter)
    except LaptopError as error:
        print(f"\n`{reporter.current}` failed.\n{error}\n", file=sys.stderr)
        print(
            "What was started goes on running, for you to look. Running it again goes on from here; `make stop` stops it.",
            file=sys.stderr,
        )
        return 1
    return 0


def _run(config: LaptopConfig, reporter: Reporter) -> None:
    with reporter.stage("start the platform"):
        up = platform.up(config, reporter.say)
        connection = Connection(config, up.aws, Airflow(config.airflow_url), reporter)
        names = [workload.name for workload in up.platform.workloads]
        connection.airflow.wait_for_dags([f"{name}_{dag}" for name in names for dag in DAGS])
    loop = Loop(up, connection)
    for workload in up.platform.workloads:
        loop.load(workload)
        second = config.night + timedelta(days=1)
        start, end = config.first_day - RECORDED_AHEAD, second + timedelta(days=1)
        history = replay.History(workload, config.data, start, end)
        loop.night(history, config.first_day, config.night)
        loop.night(history, second, second)
    summary.write(connection, summary.collect(connection, up.platform, loop.outcomes, reporter.stages))
