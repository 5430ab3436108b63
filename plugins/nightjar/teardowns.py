"""What is left to tear down of a run that was longer than its time limit.

At a DAG's ``dagrun_timeout`` Airflow skips every open task, the teardown tasks too. So the DAG's callback does their
work.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)


@runtime_checkable
class EndsOverTime(Protocol):
    """An operator of teardown tasks whose work is done outside a task, too."""

    def end_over_time(self, context: Context) -> object:
        """Does the work of a rendered operator. Repeating it is harmless."""


def tear_down(context: Context) -> None:
    """Does the work of a run's teardown tasks, as a callback of the DAG. A failure of one does not stop the others.

    Args:
        context: The callback's context. Its task instance is any one of the run.
    """
    for task in context["dag"].tasks:
        if isinstance(task, EndsOverTime):
            _end(task, context)


def _end(task: Any, context: Context) -> None:
    try:
        prepared = task.prepare_for_execution()
        prepared.render_template_fields(context)
        prepared.end_over_time(context)
    except Exception:
        log.exception("%s could not be done after the run's time limit", task)
