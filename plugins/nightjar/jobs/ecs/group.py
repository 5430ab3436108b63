"""The tasks of a rollout, and of one that is tried on a share of the requests first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from airflow.sdk import BaseOperator, PokeReturnValue, TaskGroup, TriggerRule, task

from nightjar.jobs.ecs.rollout import EcsRollout
from nightjar.jobs.ecs.submit import SubmitRolloutOperator
from nightjar.jobs.sensor import JobSensor
from nightjar.looks import look_seconds
from nightjar.notes import add_note
from nightjar.outcomes import ExceptionTypes, outcomes
from nightjar.verdicts import Verdicts, fault_pushed

if TYPE_CHECKING:
    from airflow.sdk import Context

LATE = timedelta(minutes=30)  # how much longer than its time a trial may take


def rollout_sensor(task_id: str, service: Mapping[str, str], source: str, wait: Mapping[str, Any]) -> JobSensor:
    """Returns the sensor of a rollout that another task has started.

    Args:
        task_id: Its id.
        service: Cluster and service.
        source: Id of the task that has returned the rollout.
        wait: Arguments of the sensor (``nightjar.runs.waiting``).
    """
    arns = ("service_deployment_arn", "task_definition")
    rollout = {name: f"{{{{ ti.xcom_pull(task_ids='{source}')['{name}'] }}}}" for name in arns}
    return JobSensor(task_id=task_id, job=EcsRollout(**service, **rollout), **wait)


def submit_and_sense_rollout(
    stage: str, service: Mapping[str, str], wait: Mapping[str, Any], **arguments: Any
) -> tuple[SubmitRolloutOperator, JobSensor]:
    """Makes the two tasks of a rollout, in the task group ``<stage>_job``. The group is no part of the tasks' ids.

    Args:
        stage: What is rolled out. The tasks are ``submit_<stage>`` and ``sense_<stage>``.
        service: Cluster and service.
        wait: Arguments of the sensor.
        **arguments: Arguments of the submit operator.
    """
    with TaskGroup(f"{stage}_job", prefix_group_id=False):
        submit = SubmitRolloutOperator(task_id=f"submit_{stage}", **{**arguments, **service})
        sense = rollout_sensor(f"sense_{stage}", service, submit.task_id, wait)
        submit >> sense
    return submit, sense


class Trial(Verdicts, Protocol):
    """What is done in a trial of a rollout on a share of the requests."""

    def check_begin(self, run_id: str) -> object:
        """Raises if there is no trial, or another run is to change the service."""

    def share_traffic(self, chosen: Any, run_id: str) -> Any:
        """Gives the new tasks their share of the requests; returns what :meth:`compare` takes."""

    def compare(self, shared: Any, run_id: str) -> Any:
        """Returns a verdict, or None while there is none."""

    def end(self, run_id: str) -> object:
        """Gives all requests to the old tasks, and stops the new ones."""


class EndTrialOperator(BaseOperator):
    """The teardown task of a trial: all requests go to the old tasks again.

    Args:
        trial: Returns what is done.
        skip: Exceptions after which there was nothing to end.
        fail: Exceptions after which the task fails without a retry.
        **kwargs: Arguments of every operator.
    """

    can_go_on: ClassVar[bool] = False  # the tasks after the rollout need the tasks in AWS that it stops

    def __init__(
        self, *, trial: Callable[[], Trial], skip: ExceptionTypes, fail: ExceptionTypes, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.trial = trial
        self.skip = skip
        self.fail = fail

    def execute(self, context: Context) -> None:
        """Ends what the run has begun."""
        with outcomes(skip=self.skip, fail=self.fail):
            self.trial().end(context["run_id"])

    def end_over_time(self, context: Context) -> None:
        """Ends what a run has begun that was longer than its time limit (``nightjar.teardowns``)."""
        try:
            self.trial().end(context["run_id"])
        except self.skip as error:
            self.log.info("Nothing to end: %s", error)


def trial_tasks(
    chosen: Any,
    rollout: SubmitRolloutOperator,
    trial: Callable[[], Trial],
    service: Mapping[str, str],
    wait: Mapping[str, Any],
    length: timedelta,
    *,
    skip: ExceptionTypes,
    fail: ExceptionTypes,
    **submit: Any,
) -> list[Any]:
    """Makes the tasks of a trial: roll out beside the service, share the requests, compare, end.

    Args:
        chosen: What is rolled out; the result of a task.
        rollout: The task that rolls out to the whole service if the trial is accepted, or there is none.
        trial: Returns what is done.
        service: Cluster and service of the new tasks.
        wait: Arguments of the sensor of the rollout.
        length: How long a trial takes.
        skip: Exceptions after which there is no trial, or nothing to end.
        fail: Exceptions after which a task fails without a retry.
        **submit: Arguments of the submit operator.

    Returns:
        The submit task, its sensor, and the result of the comparison.
    """

    @task
    def share_traffic(chosen: Any, ti: Any = None) -> Any:
        with outcomes(fail=fail):
            return trial().share_traffic(chosen, ti.run_id)

    # Between two looks it takes no worker.
    @task.sensor(
        mode="reschedule",
        poke_interval=look_seconds(wait["poll_seconds"]),
        timeout=(length + LATE).total_seconds(),
        execution_timeout=length + LATE,
    )
    def compare_canary(shared: Any, ti: Any = None) -> PokeReturnValue:
        steps = trial()
        with outcomes(fail=fail):
            verdict = steps.compare(shared, ti.run_id)
            if verdict is None:
                return PokeReturnValue(is_done=False)
            with fault_pushed(ti, *steps.fault):
                add_note(steps.accept(verdict))
        return PokeReturnValue(is_done=True, xcom_value=verdict)

    submit |= {"fence": lambda run_id: trial().check_begin(run_id), "skip": skip, "fail": fail}
    started, sense = submit_and_sense_rollout("canary", service, wait, **submit)
    shared: Any = share_traffic(chosen)
    compared: Any = compare_canary(shared)
    rollout.trigger_rule = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS  # a trial may be skipped
    chosen >> started
    sense >> shared
    compared >> rollout
    end = EndTrialOperator(task_id="end_canary", trial=trial, skip=skip, fail=fail)
    [sense, shared, compared] >> end.as_teardown(on_failure_fail_dagrun=True)
    return [started, sense, compared]
