"""moto's own checks of policies, switched off: they ignore principals and conditions, and this package decides."""

from __future__ import annotations

import moto.kms.responses
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket


def switch_off() -> None:
    """Makes moto leave bucket and key policies alone. Call before the first request."""
    FakeBucket.get_permission = _neutral  # type: ignore[method-assign]
    moto.kms.responses.validate_policy = _accepted


def _neutral(self: FakeBucket, action: str, resource: str) -> PermissionResult:
    return PermissionResult.NEUTRAL


def _accepted(*arguments: object, **options: object) -> None:
    """Accepts every key policy for every action."""
