"""How a task ends when domain logic raises: its exceptions become Airflow's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from nightjar.denied import fail_if_denied

ExceptionTypes = type[Exception] | tuple[type[Exception], ...]


@contextmanager
def outcomes(*, skip: ExceptionTypes = (), fail: ExceptionTypes = ()) -> Iterator[None]:
    """Turns exceptions of the body into a skipped task, or into a failed task that is not retried.

    Args:
        skip: exceptions after which the task is skipped, with the exception's text as the reason.
        fail: exceptions after which the task fails at once, as it does after a call that IAM denied. Any other
            exception fails the try, and Airflow retries.
    """
    try:
        with fail_if_denied():
            yield
    except skip as error:
        raise AirflowSkipException(str(error)) from None
    except fail as error:
        raise AirflowFailException(str(error)) from error
