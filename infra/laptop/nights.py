"""A night on the laptop: its data are replayed and ingested, and the runs that Airflow's scheduler makes are followed.

The scheduled process and retrain runs wait for their data, so the replay sets them going. An approved version starts
its deploy.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from include.workloads import Workload
from infra.laptop import bounds, registry, replay, stages
from infra.laptop.config import LaptopError
from infra.laptop.stages import Connection

SCHEDULER_SECONDS = 180  # until the DAG files are parsed and the run is made


@dataclass
class Nights:
    """The nights of one workload.

    Attributes:
        outcomes: What came of each night, by day.
    """

    connection: Connection
    history: replay.History
    outcomes: dict[date, str] = field(default_factory=dict)

    @property
    def workload(self) -> Workload:
        """The workload."""
        return self.history.workload

    def process_history(self, first: date, last: date) -> None:
        """Publishes the days before the first night by one process run, unless an earlier command has."""
        connection, name, days = self.connection, self.workload.name, f"{first} to {last}"
        if self._replayed(last) and registry.day(connection.aws, connection.state_table, name, last):
            return
        self._bring_data(days, last)
        with connection.reporter.stage(f"{name} {days}: process"):
            stages.process(connection, name, first, last if last > first else None)

    def run(self, day: date) -> None:
        """Makes a night. One that an earlier command has finished stays as it is.

        Raises:
            RunFailedError: A run of the night failed.
            LaptopError: The scheduler made no run.
        """
        connection, name, reporter = self.connection, self.workload.name, self.connection.reporter
        if outcome := self.finished(day):
            with reporter.stage(f"{name} {day}: finished by an earlier command"):
                reporter.say(outcome)
            self.outcomes[day] = outcome
            return
        if bounds.allow(connection.config, name, day):
            connection.airflow.parse_dag_files([f"{name}_process", f"{name}_retrain"])
        self._bring_data(str(day), day)
        self.outcomes[day] = "no process run is scheduled for this night"
        if self.workload.schedule.processes_after(day):
            with reporter.stage(f"{name} {day}: process"):
                self._follow("process", day)
            self.outcomes[day] = "processed; no retrain run is scheduled for this night"
        if self.workload.schedule.retrains_after(day):
            with reporter.stage(f"{name} {day}: retrain"):
                started = self._follow("retrain", day)
            with reporter.stage(f"{name} {day}: deploy"):
                self.outcomes[day] = stages.follow_deploy(connection, name, day, started)
                reporter.say(self.outcomes[day])

    def finished(self, day: date) -> str | None:
        """What an earlier command has made of a night; None when there is something left to do."""
        connection, name, schedule = self.connection, self.workload.name, self.workload.schedule
        if not self._replayed(day):
            return None
        if schedule.retrains_after(day):
            return stages.finished(connection, name, day)
        if not schedule.processes_after(day):
            return "no run is scheduled for this night"
        item = registry.day(connection.aws, connection.state_table, name, day)
        return f"the day is {item['status']}" if item else None

    def _replayed(self, day: date) -> bool:
        connection = self.connection
        reached = replay.replayed_to(connection.aws, connection.state_table, self.workload.name)
        return reached is not None and reached > day

    def _bring_data(self, days: str, last: date) -> None:
        """Replays and ingests the events up to the end of a day."""
        connection, name, reporter = self.connection, self.workload.name, self.connection.reporter
        with reporter.stage(f"{name} {days}: replay events into Kinesis"):
            sent = self.history.replay(connection.aws, connection.state_table, last + timedelta(days=1), reporter)
            reporter.say(f"{sent} events" if sent else "replayed by an earlier command")
        with reporter.stage(f"{name} {days}: ingest"):
            stages.ingest(connection, name, last)

    def _follow(self, dag: str, day: date) -> datetime:
        """Follows the night's run of a DAG; one that failed before runs again.

        Returns:
            When it started.
        """
        dag_id, airflow, reporter = f"{self.workload.name}_{dag}", self.connection.airflow, self.connection.reporter
        run = self._scheduled_run(dag_id, day)
        reporter.say(f"{dag_id} {run['dag_run_id']}")
        if run["state"] == "failed":
            reporter.say("it failed before: it is cleared and runs again")
            airflow.clear(dag_id, run["dag_run_id"])
        airflow.follow(dag_id, run["dag_run_id"], reporter)
        started = self._scheduled_run(dag_id, day)["start_date"]
        return datetime.fromisoformat(started).astimezone(UTC)

    def _scheduled_run(self, dag_id: str, day: date) -> dict[str, Any]:
        """Waits until the scheduler has made the run that is for a day."""
        midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), self.workload.schedule.zone)
        deadline = time.monotonic() + SCHEDULER_SECONDS
        while True:
            run = self.connection.airflow.automatic_run(dag_id, midnight, midnight + timedelta(days=1))
            if run is not None:
                return run
            self.connection.airflow.watch()
            if time.monotonic() > deadline:
                raise LaptopError(
                    f"Airflow's scheduler has made no run of {dag_id} for {day} within {SCHEDULER_SECONDS} s. Look at "
                    f"{self.connection.config.airflow_url}/dags/{dag_id}, `make logs WHAT=scheduler` and "
                    "`make logs WHAT=dag-processor`."
                )
            time.sleep(0.5)
