"""A deploy: resolve the version, roll it out, verify it, make it live; or reject it and restore the service."""

from __future__ import annotations

from include.pipelines.deploy.choose import DeployRefusedError
from include.pipelines.deploy.go_live import go_live
from include.pipelines.deploy.live import LivePointer
from include.pipelines.deploy.resolve import DeployTarget, resolve
from include.pipelines.deploy.restore import reject, restore
from include.pipelines.deploy.service import Rollout
from include.pipelines.deploy.verify import Verification, VerificationError, verify

__all__ = [
    "DeployRefusedError",
    "DeployTarget",
    "LivePointer",
    "Rollout",
    "Verification",
    "VerificationError",
    "go_live",
    "reject",
    "resolve",
    "restore",
    "verify",
]
