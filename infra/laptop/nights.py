"""A night on the laptop: its data are replayed and ingested, and the runs that Airflow's scheduler makes are followed.

The scheduled process and retrain runs wait for their data, so the replay sets them going. An approved version starts
its deploy.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from include.errors import NightjarError
from include.lake.days import day_range
from include.workloads import Workload
from infra.airflow_api import RunFailedError
from infra.airflow_api.reasons import refusal
from infra.laptop import bounds, night_log, nights_page, registry, replay, stages
from infra.laptop.config import LaptopError
from infra.laptop.night_log import NightRecord
from infra.laptop.stages import Connection

SCHEDULER_SECONDS = 300  # until the DAG files are parsed and the run is made
# Airflow drops a request for a file that it parses at that moment, as it does for another workload's night.
PARSE_AGAIN_SECONDS = 15


class RefusedNightError(NightjarError):
    """A rule refused a day or a data set of a night. The runs of the night have ended, so the next one can be made."""


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

    def run_row(self, first: date, to: date) -> None:
        """Makes the nights from ``first`` to ``to`` that earlier commands have not made, one after the other.

        A night that a rule refuses, such as the gate of its day, does not keep the next ones from being made.

        Raises:
            RefusedNightError: Nights were refused.
            RunFailedError: A run of a night failed in another way.
            LaptopError: The scheduler made no run.
        """
        config, refused = self.connection.config, list[str]()
        allowed = bounds.read(config, self.workload.name)
        if allowed:  # the nights before are made; the last two are looked at again
            first = max(first, min(allowed.last, to) - timedelta(days=1))
        for day in day_range(first, to):
            started = time.monotonic()
            try:
                made = self.run(day)
            except RefusedNightError as error:
                refused.append(f"The night {day} of {self.workload.name} was refused:\n{error}")
                self._log(day, started, str(error), "refused")
            except NightjarError as error:
                self._log(day, started, str(error).partition("\n")[0], "failed")
                raise
            else:
                if made:
                    self._log(day, started, self.outcomes[day], "done")
        if refused:
            raise RefusedNightError("\n\n".join(refused))

    def run(self, day: date) -> bool:
        """Makes a night. One that an earlier command has finished stays as it is.

        Returns:
            Whether there was anything to do.

        Raises:
            RefusedNightError: A rule refused the day, or the data set of its retrain run.
            RunFailedError: A run of the night failed in another way.
            LaptopError: The scheduler made no run.
        """
        connection, name, reporter = self.connection, self.workload.name, self.connection.reporter
        if outcome := self.finished(day):
            with reporter.stage(f"{name} {day}: finished by an earlier command"):
                reporter.say(outcome)
            self.outcomes[day] = outcome
            return False
        if bounds.allow(connection.config, name, day):
            connection.airflow.parse_dag_files([f"{name}_process", f"{name}_retrain"])
        self._bring_data(str(day), day)
        outcome, refused = "no process run is scheduled for this night", list[str]()
        if self.workload.schedule.processes_after(day):
            outcome = "processed; no retrain run is scheduled for this night"
            try:
                self._follow("process", day)
            except RefusedNightError as error:
                if not registry.day(connection.aws, connection.state_table, name, day):
                    raise RunFailedError(str(error)) from None  # the day has no status, so the retrain run waits for it
                refused.append(str(error))
        if self.workload.schedule.retrains_after(day):
            try:
                started = self._follow("retrain", day)
            except RefusedNightError as error:
                raise RefusedNightError("\n".join([*refused, str(error)])) from None
            with reporter.stage(f"{name} {day}: deploy"):
                outcome = stages.follow_deploy(connection, name, day, started)
                reporter.say(outcome)
        if refused:
            raise RefusedNightError("\n".join(refused))
        self.outcomes[day] = outcome
        return True

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

    def _log(self, day: date, started: float, outcome: str, status: str) -> None:
        """Adds the night to the log, and writes the page of all nights."""
        connection, name = self.connection, self.workload.name
        package = registry.version_of_day(connection.aws, name, day) if status == "done" else None
        seconds = round(time.monotonic() - started, 1)
        ended = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = NightRecord(name, day, seconds, outcome, status, ended=ended, **night_log.registered(package))
        night_log.append(connection.config, record)
        nights_page.write(connection.config)

    def _follow(self, dag: str, day: date) -> datetime:
        """Follows the night's run of a DAG; one that failed before runs again.

        Returns:
            When it started.

        Raises:
            RefusedNightError: A rule ended the run.
            RunFailedError: It failed in another way.
        """
        dag_id, airflow, reporter = f"{self.workload.name}_{dag}", self.connection.airflow, self.connection.reporter
        with reporter.stage(f"{self.workload.name} {day}: {dag}"):
            run = self._scheduled_run(dag_id, day)
            run_id = run["dag_run_id"]
            reporter.say(f"{dag_id} {run_id}")
            if run["state"] == "failed":
                reporter.say("it failed before: it is cleared and runs again")
                airflow.clear(dag_id, run_id)
            try:
                airflow.follow(dag_id, run_id, reporter)
            except RunFailedError:
                if reason := refusal(airflow, dag_id, run_id):
                    raise RefusedNightError(f"{dag_id}: {reason} ({airflow.link(dag_id, run_id)})") from None
                raise
        return datetime.fromisoformat(self._scheduled_run(dag_id, day)["start_date"]).astimezone(UTC)

    def _scheduled_run(self, dag_id: str, day: date) -> dict[str, Any]:
        """Waits until the scheduler has made the run that is for a day."""
        midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), self.workload.schedule.zone)
        started = asked = time.monotonic()
        while True:
            run = self.connection.airflow.automatic_run(dag_id, midnight, midnight + timedelta(days=1))
            if run is not None:
                return run
            self.connection.airflow.watch()
            if time.monotonic() > started + SCHEDULER_SECONDS:
                raise LaptopError(
                    f"Airflow's scheduler has made no run of {dag_id} for {day} within {SCHEDULER_SECONDS} s. Look at "
                    f"{self.connection.config.airflow_url}/dags/{dag_id}, `make logs WHAT=scheduler` and "
                    "`make logs WHAT=dag-processor`."
                )
            if time.monotonic() > asked + PARSE_AGAIN_SECONDS:
                self.connection.airflow.parse_dag_files([dag_id])
                asked = time.monotonic()
            time.sleep(0.5)
