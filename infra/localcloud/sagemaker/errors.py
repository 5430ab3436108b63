"""Why a job fails. The text of either exception becomes the job's FailureReason."""

from __future__ import annotations

from infra.localcloud.errors import LocalCloudError


class JobError(LocalCloudError):
    """The job cannot run as requested."""


class StorageError(LocalCloudError):
    """A transfer from or to S3 failed."""
