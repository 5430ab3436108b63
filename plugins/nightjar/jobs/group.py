"""A remote job in a DAG: its submit task and its sensor, in one task group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import TaskGroup

from nightjar.jobs.sensor import JobSensor
from nightjar.jobs.submit import SubmitOperator


def submit_and_sense[SubmitT: SubmitOperator](
    stage: str, submit_class: type[SubmitT], wait: Mapping[str, Any], *, sense_id: str | None = None, **arguments: Any
) -> tuple[SubmitT, JobSensor]:
    """Makes the two tasks of a job, in the task group ``<stage>_job``. The group is no part of the tasks' ids.

    Args:
        stage: What the job does.
        submit_class: The submit operator. Its task is ``submit_<stage>``.
        wait: Arguments of the sensor (``nightjar.runs.waiting``).
        sense_id: Id of the sensor's task; None for ``sense_<stage>``.
        **arguments: Arguments of the submit operator.
    """
    with TaskGroup(f"{stage}_job", prefix_group_id=False):
        submit = submit_class(task_id=f"submit_{stage}", poll_seconds=wait["poll_seconds"], **arguments)
        sense = JobSensor(task_id=sense_id or f"sense_{stage}", job=submit.submitted_job(), **wait)
        submit >> sense
    return submit, sense
