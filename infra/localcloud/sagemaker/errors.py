"""Why a job fails. The text of either exception becomes the job's FailureReason."""

from __future__ import annotations


class JobError(RuntimeError):
    """The job cannot run as requested."""


class StorageError(RuntimeError):
    """A transfer from or to S3 failed."""
