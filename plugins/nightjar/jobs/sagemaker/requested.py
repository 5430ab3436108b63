"""Jobs whose requests an earlier task has returned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightjar.jobs.group import submit_and_sense
from nightjar.jobs.sagemaker.submit import SubmitSageMakerJobOperator
from nightjar.jobs.sensor import JobSensor


def requested_job[SubmitT: SubmitSageMakerJobOperator](
    requests: Any, fresh: str, stage: str, submit_class: type[SubmitT], wait: Mapping[str, Any], **arguments: Any
) -> tuple[SubmitT, JobSensor]:
    """Makes the two tasks of a job (:func:`nightjar.jobs.submit_and_sense`).

    Args:
        requests: Reference to the task that returned ``<stage>``, the Create call's arguments, and ``<stage>_name``,
            the submit key.
        fresh: The template of the submit operator's ``fresh``.
        stage: What the job does.
        submit_class: The submit operator.
        wait: Arguments of the sensor.
        **arguments: More arguments of the submit operator.
    """
    requested = {"submit_key": requests[f"{stage}_name"], "config": requests[stage], "fresh": fresh}
    return submit_and_sense(stage, submit_class, wait, **requested, **arguments)
