"""The tasks of a job whose result decides whether something new is rolled out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from airflow.sdk import BaseOperator, TriggerRule, task

from nightjar.jobs import JobLedger, StopJobsOperator, submit_and_sense
from nightjar.jobs.sagemaker import SubmitProcessingJobOperator
from nightjar.links import add_pages, linked
from nightjar.notes import add_note
from nightjar.outcomes import ExceptionTypes, outcomes
from nightjar.runs import output
from nightjar.verdicts import Verdicts, fault_pushed

PAGE = "Report"
"""Text of the button on the task that compares."""


class Comparison(Verdicts, Protocol):
    """What is done to compare something new with what is in use."""

    def plan(self, chosen: Any, run_id: str) -> Any:
        """Returns the job: ``name``, its submit key, and ``request``, the Create call's arguments."""

    def compare(self, chosen: Any, planned: Any, finished: Any, run_id: str) -> Any:
        """Returns a verdict on what the job has found."""

    def page(self, verdict: Any) -> str:
        """Returns the URI of the page that the task links to."""


def comparison_tasks(
    chosen: Any,
    rollout: BaseOperator,
    comparison: Callable[[], Comparison],
    wait: Mapping[str, Any],
    ledger: JobLedger,
    skip: ExceptionTypes,
    fail: ExceptionTypes,
) -> list[Any]:
    """Makes the tasks: plan the job, submit it, sense it, compare; and the teardown that stops the job.

    Args:
        chosen: What is new; the result of a task.
        rollout: The task that rolls it out if the verdict is for it, or there was nothing to compare.
        comparison: Returns what is done.
        wait: Arguments of the job's sensor (``nightjar.runs.waiting``).
        ledger: Where the job is claimed, and what it has used recorded.
        skip: Exceptions after which there is nothing to compare.
        fail: Exceptions after which a task fails without a retry.

    Returns:
        The submit task, its sensor, and the result of the comparison.
    """

    @task(multiple_outputs=True)
    def plan_shadow(chosen: Any, ti: Any = None) -> Any:
        with outcomes(skip=skip, fail=fail):
            return comparison().plan(chosen, ti.run_id)

    @task
    def compare_shadow(chosen: Any, planned: Any, finished: Any, ti: Any = None) -> Any:
        steps = comparison()
        with outcomes(fail=fail):
            verdict = steps.compare(chosen, planned, finished, ti.run_id)
            add_pages({PAGE: steps.page(verdict)})
            with fault_pushed(ti, *steps.fault):
                add_note(steps.accept(verdict))
        return verdict

    planned: Any = plan_shadow(chosen)
    requested = {"submit_key": planned["name"], "config": planned["request"], "ledger": ledger}
    submit, sense = submit_and_sense("shadow", SubmitProcessingJobOperator, {**wait, "ledger": ledger}, **requested)
    compared: Any = linked(compare_shadow(chosen, planned, output(sense)), PAGE)
    rollout.trigger_rule = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS  # there may be nothing to compare
    compared >> rollout
    sense >> StopJobsOperator(task_id="stop_jobs", jobs=[sense.job], ledger=ledger).as_teardown()
    return [submit, sense, compared]
