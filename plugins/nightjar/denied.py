"""A call that IAM denies fails its task at once: no retry can mend a policy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowFailException
from botocore.exceptions import ClientError

# The codes with which services of AWS deny a call.
CODES = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})


@contextmanager
def fail_if_denied() -> Iterator[None]:
    """Turns a denied call of the body, or of the decorated function, into a task that fails without a retry.

    Raises:
        AirflowFailException: A call was denied. The text is AWS's, which names the action, and what to do.
    """
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in CODES:
            raise AirflowFailException(f"{error}. Add the permission to the role, then clear this task.") from error
        raise
