"""How a task ends when domain logic raises: its exceptions become Airflow's."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped

from nightjar.denied import fail_if_denied
from nightjar.failures import ReportedElsewhereError
from nightjar.notes import add_note

log = logging.getLogger(__name__)
ExceptionTypes = type[Exception] | tuple[type[Exception], ...]


@contextmanager
def outcomes(*, skip: ExceptionTypes = (), fail: ExceptionTypes = (), reported: ExceptionTypes = ()) -> Iterator[None]:
    """Turns exceptions of the body into a skipped task, or into a failed task that is not retried.

    The exception's text becomes the run's note; the reason of a skip is logged too.

    Args:
        skip: exceptions after which the task is skipped, with the exception's text as the reason.
        fail: exceptions after which the task fails at once, as it does after a call that IAM denied. Any other
            exception fails the try, and Airflow retries.
        reported: exceptions like those in ``fail``, whose cause another run has reported (``failures.py``).
    """
    try:
        with fail_if_denied():
            yield
    except skip as error:
        # Airflow logs the exception too, but in a group that its UI folds.
        log.info("Skipped: %s", error)
        add_note(str(error))
        raise AirflowSkipException(str(error)) from None
    except reported as error:
        add_note(str(error))
        raise ReportedElsewhereError(str(error)) from error
    except fail as error:
        add_note(str(error))
        raise AirflowFailException(str(error)) from error


def skip_next(result: Any, reason: str, *task_ids: str) -> NoReturn:
    """Ends the current task with success, and has tasks behind it skipped without a start of their own.

    A task that is cleared later starts after all, so it has to see for itself that there is nothing to do.

    Args:
        result: What the task would have returned.
        reason: Why they are skipped: a sentence, for the log and the run's note.
        *task_ids: Tasks that directly follow the current one.

    Raises:
        DownstreamTasksSkipped: Always: Airflow takes it as a success.
    """
    log.info("Skipped: %s. %s", ", ".join(task_ids), reason)
    add_note(reason)
    instance: Any = get_current_context()["ti"]
    entries = dict(result) if instance.task.multiple_outputs else {}
    for key, value in {**entries, "return_value": result}.items():  # as Airflow does for a task that returns
        instance.xcom_push(key=key, value=value)
    raise DownstreamTasksSkipped(tasks=list(task_ids))
