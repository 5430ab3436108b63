"""The trigger of every remote job: describes it until its state is no longer a running one.

Clearing a sensor must not stop its job, and a job that outlives its DAG run is stopped by the run's teardown task. The
trigger itself stops a job in one case only: its DAG run was deleted, so there is no teardown task any more.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.sdk.module_loading import import_string
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from nightjar.busy import ERRORS, busy_reason
from nightjar.jobs.job import StoppableJob

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nightjar.jobs.job import RemoteJob

_STOPPING: set[asyncio.Task[None]] = set()  # asyncio itself keeps only weak references to its tasks


class DescribeTrigger(BaseTrigger):
    """Fires once, when the job no longer runs or AWS refuses to describe it.

    The event is ``{"state": …}`` or ``{"error": …}``.

    Args:
        job_class: Import path of the job's class.
        job_fields: The fields of the job.
        state: The job's state as the sensor saw it.
        poll_seconds: Seconds between two calls.
        aws_conn_id: Airflow connection; None for boto3's own credentials.
        region_name: AWS region; None for boto3's default.
        verify: Whether TLS certificates are verified, or a file of trusted certificates.
        botocore_config: botocore's configuration.
    """

    def __init__(
        self,
        job_class: str,
        job_fields: dict[str, Any],
        state: str | None,
        poll_seconds: float,
        aws_conn_id: str | None = None,
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.job_class = job_class
        self.job_fields = job_fields
        self.state = state
        self.poll_seconds = poll_seconds
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    @classmethod
    def of(cls, job: RemoteJob[Any], state: str | None, poll_seconds: float, **connection: Any) -> Self:
        """Returns the trigger of a job. ``connection`` has the constructor's last four arguments."""
        path = f"{type(job).__module__}.{type(job).__qualname__}"
        return cls(path, asdict(job), state, poll_seconds, **connection)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns the class path and the constructor's arguments."""
        names = ("job_class", "job_fields", "state", "poll_seconds")
        connection = ("aws_conn_id", "region_name", "verify", "botocore_config")
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {name: getattr(self, name) for name in names + connection}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Describes the job until it ends; throttling and an unreachable endpoint are waited out."""
        job = self._job()
        async with await self._hook(job).get_async_conn() as client:
            event = None
            while event is None:
                # Wait first: the sensor has just described the job. A trigger that fires at once also meets Airflow
                # issue 72716: a task that resumes before Airflow has recorded the end of its worker loses a try.
                await asyncio.sleep(self.poll_seconds)
                event = await self._look(client, job)
        yield event

    async def on_kill(self) -> None:
        """Stops the job if the DAG run was deleted. Airflow also calls this when the sensor is cleared or failed."""
        # In a task of its own: until the trigger has ended, Airflow cancels it anew about every second.
        task = asyncio.create_task(self._stop_if_run_is_deleted())
        _STOPPING.add(task)
        task.add_done_callback(_STOPPING.discard)
        await asyncio.shield(task)

    async def _stop_if_run_is_deleted(self) -> None:
        job, sensor = self._job(), self.task_instance
        if sensor is None or not isinstance(job, StoppableJob):
            return
        states = await sync_to_async(RuntimeTaskInstance.get_task_states)(
            dag_id=sensor.dag_id, task_ids=[sensor.task_id], run_ids=[sensor.run_id]
        )
        if not states.get(sensor.run_id) and await sync_to_async(self._stop)(job):
            self.log.warning("DAG run %s of %s was deleted: stopped %s", sensor.run_id, sensor.dag_id, job)

    def _stop(self, job: StoppableJob[Any]) -> bool:
        return job.stop_if_active(self._hook(job).conn)

    def _job(self) -> RemoteJob[Any]:
        job: RemoteJob[Any] = import_string(self.job_class)(**self.job_fields)
        return job

    def _hook(self, job: RemoteJob[Any]) -> Any:
        return AwsBaseHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
            client_type=job.client_type,
        )

    async def _look(self, client: Any, job: RemoteJob[Any]) -> TriggerEvent | None:
        try:
            state = job.state(await getattr(client, job.describe_method)(**job.describe_arguments()))
        except ERRORS as error:
            reason = busy_reason(error)
            if reason is None:
                return TriggerEvent({"error": str(error)})
            self._log_change(f"unknown, since AWS is busy ({reason})")
            return None
        self._log_change(state)
        return None if state in job.active | job.stopping else TriggerEvent({"state": state})

    def _log_change(self, state: str | None) -> None:
        """Logs the state if it is not the one that was logged before: a line per change, not per call."""
        if state != self.state:
            self.log.info("%s is %s", self._job(), state)
            self.state = state
