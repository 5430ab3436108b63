"""Stop what still runs when a run is over: the teardown task's operator.

It is wired ``StopJobsOperator(…).as_teardown()`` downstream of the *sensors*, without set-up tasks. So it runs only when
every sensor has ended for good (green, red, timed out, marked failed). A sensor that is cleared while the run goes on puts
its downstream, this task included, back to waiting: nothing is stopped, and clearing does not re-run the submit tasks as it
would were they its set-ups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

SERVICES = {"glue": "glue", "athena": "athena", "training": "sagemaker", "processing": "sagemaker"}


class StopJobsOperator(BaseOperator):
    """Returns the ids of the jobs that it stopped.

    :param jobs: ``{"kind": "glue"|"athena"|"training"|"processing", "id": …}`` each, for Glue ``"job_name"`` too (templated).
        An empty id, or the text ``None``, means that the job was never started.
    """

    template_fields = ("jobs",)

    def __init__(
        self,
        *,
        jobs: list[dict[str, str]],
        aws_conn_id: str | None = None,
        region_name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.jobs = jobs
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name

    def execute(self, context: Context) -> list[str]:
        stopped = []
        for job in self.jobs:
            if job["id"] in ("", "None"):
                continue
            hook = AwsBaseHook(
                aws_conn_id=self.aws_conn_id, region_name=self.region_name, client_type=SERVICES[job["kind"]]
            )
            if getattr(self, f"_stop_{job['kind']}")(hook.conn, job):
                self.log.warning("%s still ran when its run was over: stopped", job)
                stopped.append(job["id"])
        return stopped

    def _stop_glue(self, client: Any, job: dict[str, str]) -> bool:
        state = client.get_job_run(JobName=job["job_name"], RunId=job["id"])["JobRun"]["JobRunState"]
        if state not in ("WAITING", "STARTING", "RUNNING"):
            return False
        errors = client.batch_stop_job_run(JobName=job["job_name"], JobRunIds=[job["id"]])["Errors"]
        if errors:
            raise RuntimeError(f"Glue did not stop {job['id']}: {errors}. Stop it in the console.")
        return True

    def _stop_athena(self, client: Any, job: dict[str, str]) -> bool:
        state = client.get_query_execution(QueryExecutionId=job["id"])["QueryExecution"]["Status"]["State"]
        if state not in ("QUEUED", "RUNNING"):
            return False
        client.stop_query_execution(QueryExecutionId=job["id"])
        return True

    def _stop_training(self, client: Any, job: dict[str, str]) -> bool:
        if client.describe_training_job(TrainingJobName=job["id"])["TrainingJobStatus"] != "InProgress":
            return False
        client.stop_training_job(TrainingJobName=job["id"])
        return True

    def _stop_processing(self, client: Any, job: dict[str, str]) -> bool:
        if client.describe_processing_job(ProcessingJobName=job["id"])["ProcessingJobStatus"] != "InProgress":
            return False
        client.stop_processing_job(ProcessingJobName=job["id"])
        return True
