"""The teardown task's operator: stops the jobs that still run when their DAG run is over.

It is wired ``StopJobsOperator(…).as_teardown()`` downstream of the *sensors*, without set-up tasks, so it runs once
every sensor has ended (success, failure, timeout, marked failed). A sensor that is cleared during the run sets its
downstream, this task included, back to waiting: nothing is stopped. With the submit tasks as its set-ups, clearing
would run those again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from nightjar.denied import fail_if_denied
from nightjar.jobs.job import RemoteJob, RendersJobs, StoppableJob
from nightjar.jobs.ledger import JobLedger
from nightjar.notes import add_note

if TYPE_CHECKING:
    from airflow.sdk import Context


class StopJobsOperator(RendersJobs):
    """Stops those of the given jobs that are active, and returns their ids.

    Args:
        jobs: The jobs (templated). One whose id is empty or None was never started.
        ledger: Where it is recorded what those that have ended have used, if no sensor has seen that; the run's note
            then says what its jobs have cost. None for nowhere.
        aws_conn_id: Airflow connection; None for boto3's own credentials.
        region_name: AWS region; None for boto3's default.
        **kwargs: Arguments of every operator.

    Raises:
        TypeError: A job is of a kind that cannot be stopped.
    """

    template_fields = ("jobs",)
    can_go_on: ClassVar[bool] = True

    def __init__(
        self,
        *,
        jobs: Sequence[RemoteJob[Any]],
        ledger: JobLedger | None = None,
        aws_conn_id: str | None = None,
        region_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if unstoppable := [type(job).__name__ for job in jobs if not isinstance(job, StoppableJob)]:
            raise TypeError(f"{', '.join(unstoppable)} cannot be stopped: leave it out of the jobs")
        self.jobs = [job for job in jobs if isinstance(job, StoppableJob)]
        self.ledger = ledger
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name

    def as_teardown(self, *, setups: Any = None, on_failure_fail_dagrun: bool | None = True) -> StopJobsOperator:
        """Makes the task a teardown task whose failure fails the run: its jobs may go on, so a person has to know."""
        super().as_teardown(setups=setups, on_failure_fail_dagrun=on_failure_fail_dagrun)
        return self

    @fail_if_denied()
    def execute(self, context: Context) -> list[str]:
        """Stops the active jobs."""
        stopped = self.stop_active()
        if self.ledger and (cost := self.ledger.run_sentence(context)):
            add_note(cost)
        return stopped

    def end_over_time(self, context: Context) -> None:
        """Stops the active jobs of a run that was longer than its time limit (``nightjar.teardowns``)."""
        self.stop_active()

    def stop_active(self) -> list[str]:
        """Stops those of the rendered jobs that are active; returns their ids."""
        stopped = []
        clients: dict[str, Any] = {}  # making one takes longer than asking it
        for job in self.jobs:
            if not job.identifier:
                continue
            kind = job.client_type
            if kind not in clients:
                hook = AwsBaseHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name, client_type=kind)
                clients[kind] = hook.conn
            client = clients[kind]
            description = job.describe(client)
            state = job.state(description)
            if state in job.active:
                job.stop(client)
                self.log.warning("%s still ran when its DAG run was over: stopped", job)
                stopped.append(job.identifier)
            elif self.ledger and state not in job.stopping:
                self.ledger.try_record(job, client, description)
        return stopped
