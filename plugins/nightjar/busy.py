"""Errors that mean: AWS is busy or out of reach, so ask again later."""

from __future__ import annotations

from airflow.providers.amazon.aws.utils.waiter_with_logging import RETRIABLE_ERROR_CODES
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

# Glue: the job's MaxConcurrentRuns, the account's runs. SageMaker: the account's instances.
FULL = {"ConcurrentRunsExceededException", "ResourceNumberLimitExceededException", "ResourceLimitExceeded"}
ERRORS = (ClientError, BotoConnectionError, HTTPClientError)


def busy_reason(error: ClientError | BotoCoreError) -> str | None:
    """Returns AWS's code, or the error's name, if the call is to be made again later; None for any other error."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        return code if code in RETRIABLE_ERROR_CODES | FULL else None
    return type(error).__name__ if isinstance(error, ERRORS) else None
