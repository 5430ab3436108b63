"""What is left to tear down of a run that was longer than its time limit.

At a DAG's ``dagrun_timeout`` Airflow skips every open task, the teardown tasks too. So the DAG's callback does their
work.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, runtime_checkable

from nightjar.failures import reason_of

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

ENDED = "What it had begun in AWS has been ended."
NEXT_STEP = (
    "Next: find in the run what took so long, then clear the tasks that were skipped, "
    "or trigger a run for the same day."
)
NEXT_STEP_ANEW = (
    "Next: find in the run what took so long, then trigger a new run. "
    "Do not clear the tasks that were skipped: they need what has been ended."
)
NOT_ENDED = (
    "Task:  {task_id}\nIt could not end what the run has begun, which may still run and cost: {reason}\n"
    "Next: do what the reason says, then clear this task alone (it tries again), or end that in AWS."
)


@runtime_checkable
class EndsOverTime(Protocol):
    """An operator of teardown tasks whose work is done outside a task, too.

    Attributes:
        can_go_on: Whether the run's skipped tasks can be cleared after that work.
    """

    can_go_on: ClassVar[bool]

    def end_over_time(self, context: Context) -> object:
        """Does the work of a rendered operator. Repeating it is harmless."""


class NotEnded(NamedTuple):
    """A teardown task whose work could not be done."""

    task_id: str
    error: Exception


def tear_down(context: Context) -> list[NotEnded]:
    """Does the work of a run's teardown tasks, as a callback of the DAG. A failure of one does not stop the others.

    Args:
        context: The callback's context. Its task instance is any one of the run.

    Returns:
        The tasks whose work could not be done.
    """
    tried = [_end(task, context) for task in context["dag"].tasks if isinstance(task, EndsOverTime)]
    return [failure for failure in tried if failure]


def describe_ends(tasks: Iterable[Any], failures: Sequence[NotEnded]) -> list[str]:
    """Returns what became of a run's teardown tasks, and the next step.

    Args:
        tasks: The DAG's tasks.
        failures: What :func:`tear_down` returned.
    """
    ending = [task for task in tasks if isinstance(task, EndsOverTime)]
    parts = [NOT_ENDED.format(task_id=failed.task_id, reason=reason_of(failed.error)) for failed in failures]
    if ending and not failures:
        parts.append(ENDED)
    return [*parts, NEXT_STEP if all(task.can_go_on for task in ending) else NEXT_STEP_ANEW]


def _end(task: Any, context: Context) -> NotEnded | None:
    try:
        prepared = task.prepare_for_execution()
        prepared.render_template_fields(context)
        prepared.end_over_time(context)
    except Exception as error:
        log.exception("%s could not be done after the run's time limit", task)
        return NotEnded(task.task_id, error)
    return None
