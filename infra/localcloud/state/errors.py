"""Exceptions of the stored state."""

from __future__ import annotations

from infra.localcloud.errors import LocalCloudError


class StateError(LocalCloudError):
    """The stored state cannot be used: the server does not start. The text says why and what to do."""


class UnstorableError(LocalCloudError):
    """An object cannot be stored. The text names its class."""
