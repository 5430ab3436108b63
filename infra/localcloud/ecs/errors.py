"""Why a task cannot start. The text of either exception becomes the task's stoppedReason."""

from __future__ import annotations


class NoAddressError(RuntimeError):
    """No address of the pool has the task's ports free."""


class SecretError(RuntimeError):
    """A container's secret cannot be read."""
