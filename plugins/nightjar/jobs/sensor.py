"""The sensor of remote jobs: defers while the job runs, then returns a small result or fails with AWS's reason.

A deferral costs a second start of the task, seconds of CPU time. So a job that ends within seconds is waited for where
the sensor is (``patience_seconds``), and only a longer one is deferred.

Retrying or clearing the sensor costs nothing and stops nothing, because it only describes the job. A job that failed
fails the sensor without a retry. To run the job again, clear the *submit* task: it starts the next attempt.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from nightjar.busy import ERRORS, busy_reason
from nightjar.denied import fail_if_denied
from nightjar.jobs.job import Description, RemoteJob, RendersJobs
from nightjar.jobs.ledger import JobLedger
from nightjar.jobs.link import JobLink
from nightjar.jobs.log_tail import job_log_tail
from nightjar.jobs.trigger import DescribeTrigger
from nightjar.notes import NOTE_KEY

if TYPE_CHECKING:
    from airflow.sdk import Context

MAXIMUM_PAUSE = 2.0  # seconds between two describing calls before the sensor defers
LINES_AFTER_SUCCESS = 20
LINES_AFTER_FAILURE = 60


class JobSensor(RendersJobs, AwsBaseSensor[AwsBaseHook]):
    """Waits for a remote job and returns its result.

    The reason of a failure is in the run's note too. ``timeout`` (seconds) bounds one wait and does not
    stop the job.

    Args:
        job: The job (templated).
        poll_seconds: Seconds between two describing calls.
        patience_seconds: Seconds for which the sensor waits in its worker before it defers.
        ledger: Where it is recorded what the job has used, however it ended; None for nowhere.
        aws_conn_id: Airflow connection; None for boto3's own credentials.
        **kwargs: Arguments of every AWS sensor, such as ``region_name``.
    """

    aws_hook_class = AwsBaseHook
    template_fields = aws_template_fields("job")
    operator_extra_links = (JobLink(),)

    def __init__(
        self,
        *,
        job: RemoteJob[Any],
        poll_seconds: float = 30,
        patience_seconds: float = 0,
        ledger: JobLedger | None = None,
        aws_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(aws_conn_id=aws_conn_id, **kwargs)
        self.job = job
        self.job_link = ""
        self.poll_seconds = poll_seconds
        self.patience_seconds = patience_seconds
        self.ledger = ledger

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        return {**super()._hook_parameters, "client_type": self.job.client_type}

    @fail_if_denied()
    def execute(self, context: Context) -> Mapping[str, object]:
        """Returns the job's result, or defers while it runs.

        Raises:
            AirflowFailException: The job failed. The text holds AWS's reason, the end of the log, the console's page
                and what to do next.
        """
        client: Any = self.hook.conn
        self.job_link = self.job.link(client)
        description = self._ended(client)
        if self.ledger:
            self.ledger.try_record(self.job, client, description)
        failure = self.job.failure(client, description)
        if failure:
            context["ti"].xcom_push(key=NOTE_KEY, value=f"{self.job} {failure}")
            tail = self._log_tail(description, LINES_AFTER_FAILURE)
            parts = [f"{self.job} {failure}", tail, self.job_link, self.job.advice]
            raise AirflowFailException("\n".join(part for part in parts if part))
        self.log.info("%s\n%s", self._log_tail(description, LINES_AFTER_SUCCESS), self.job_link)
        return self.job.result(description)

    def _ended(self, client: Any) -> Description:
        """Returns the description of the job once it has ended, or defers."""
        pause = min(self.poll_seconds / 2, MAXIMUM_PAUSE)  # a job of seconds should not wait as long as one of hours
        deadline = time.monotonic() + self.patience_seconds
        while True:
            try:
                description = self.job.describe(client)
            except ERRORS as error:
                if busy_reason(error):
                    self.log.warning("AWS is busy: deferring. %s", error)
                    self._defer(None)
                raise
            state = self.job.state(description)
            if state not in self.job.active | self.job.stopping:
                return description
            if time.monotonic() + pause > deadline:
                self.log.info("%s is %s: deferring\n%s", self.job, state, self.job_link)
                self._defer(state)
            time.sleep(pause)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Mapping[str, object]:
        """Continues after the trigger has fired.

        Raises:
            AirflowException: AWS refused to describe the job.
        """
        if "error" in event:
            raise AirflowException(f"AWS refused to describe {self.job}: {event['error']}")
        return self.execute(context)

    def _log_tail(self, description: Description, lines: int) -> str:
        return job_log_tail(self.job, self.hook.conn, description, self._hook_parameters, lines)

    def _defer(self, state: str | None) -> NoReturn:
        trigger = DescribeTrigger.of(
            self.job,
            state,
            self.poll_seconds,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
        )
        self.defer(trigger=trigger, method_name="execute_complete", timeout=timedelta(seconds=self.timeout))
