"""Why a task cannot start. The text of either exception becomes the task's stoppedReason."""

from __future__ import annotations

from infra.localcloud.errors import LocalCloudError


class NoAddressError(LocalCloudError):
    """No address of the pool has the task's ports free."""


class SecretError(LocalCloudError):
    """A container's secret cannot be read."""
