"""Sense a remote job: defer while it runs, then succeed with a small dict or fail with everything a person needs.

Retrying or clearing such a sensor costs nothing and stops nothing: it only looks. A job that failed fails the sensor for good
(no retry could turn it green): clear the *submit* task, which starts the next attempt.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import jmespath
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.sensors.base_aws import AwsBaseSensor
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from nightjar.jobs.log_tail import log_tail
from nightjar.jobs.trigger import DescribeTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class JobSensor(AwsBaseSensor[AwsBaseHook]):
    """Base of the job sensors. ``timeout`` (seconds) bounds one wait; it does not stop the job.

    :param poll_seconds: seconds between two looks at the job.
    """

    aws_hook_class = AwsBaseHook
    client_type: ClassVar[str]
    method: ClassVar[str]
    state_path: ClassVar[str]
    running: ClassVar[tuple[str, ...]]
    succeeded: ClassVar[tuple[str, ...]]
    advice: ClassVar[str] = "To run it again clear the task that submitted it: it starts the next attempt."

    def __init__(self, *, poll_seconds: float = 30, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=aws_conn_id, **kwargs)
        self.poll_seconds = poll_seconds

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        return {**super()._hook_parameters, "client_type": self.client_type}

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """The arguments of the describing call."""

    @abstractmethod
    def result(self, answer: dict[str, Any]) -> dict[str, Any]:
        """What a success returns (small, JSON)."""

    @abstractmethod
    def reason(self, answer: dict[str, Any]) -> str:
        """Why the job failed, in AWS's words."""

    @abstractmethod
    def log_streams(self, answer: dict[str, Any]) -> list[tuple[str, str]]:
        """``(log group, stream name prefix)`` of the job's logs."""

    @abstractmethod
    def console_link(self) -> str:
        """Where a person looks at the job."""

    def failure(self, state: str | None, answer: dict[str, Any]) -> str | None:
        """Why an ended job is no success (also pushed as the XCom ``failure``), None when it is one."""
        return None if state in self.succeeded else f"ended {state}: {self.reason(answer)}"

    def execute(self, context: Context) -> dict[str, Any]:
        answer = getattr(self.hook.conn, self.method)(**self.arguments())
        state = jmespath.search(self.state_path, answer)
        if state in self.running:
            self.log.info("%s is %s: deferring\n%s", self.arguments(), state, self.console_link())
            self.defer(
                trigger=DescribeTrigger(
                    client_type=self.client_type,
                    method=self.method,
                    arguments=self.arguments(),
                    state_path=self.state_path,
                    running=list(self.running),
                    poll_seconds=self.poll_seconds,
                    aws_conn_id=self.aws_conn_id,
                    region_name=self.region_name,
                    verify=self.verify,
                    botocore_config=self.botocore_config,
                ),
                method_name="execute_complete",
                timeout=timedelta(seconds=self.timeout),
            )
        failure = self.failure(state, answer)
        if failure:
            context["ti"].xcom_push(key="failure", value=failure)
            tail = log_tail(self._hook_parameters, self.log_streams(answer), lines=60)
            raise AirflowFailException(f"{self.arguments()} {failure}\n{tail}\n{self.console_link()}\n{self.advice}")
        self.log.info(
            "%s\n%s", log_tail(self._hook_parameters, self.log_streams(answer), lines=20), self.console_link()
        )
        return self.result(answer)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        if "error" in event:
            raise AirflowException(f"AWS does not describe {self.arguments()}: {event['error']}")
        return self.execute(context)
