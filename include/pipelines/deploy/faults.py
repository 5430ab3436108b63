"""What a verification finds wrong."""

from __future__ import annotations

from include.errors import NightjarError

FAULT_KEY = "version_fault"
"""XCom of a task that has found the version at fault."""


class VerificationError(NightjarError):
    """The service cannot be verified, or does not serve the version that was deployed. The text has its response."""


class VersionFaultError(VerificationError):
    """The version is at fault: it answers, but not as in training, or its bundle is not what was registered."""
