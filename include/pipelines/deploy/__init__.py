"""A deploy: record the intent, roll the version out, verify it, make it live; or go back to the verified version."""

from __future__ import annotations

from include.errors import RefusedError, UserError
from include.pipelines.deploy import notes
from include.pipelines.deploy.choose import DeployRefusedError
from include.pipelines.deploy.ended import DeployEndedError
from include.pipelines.deploy.faults import FAULT_KEY, VerificationError, VersionFaultError
from include.pipelines.deploy.fence import own_intent
from include.pipelines.deploy.freeze import Freeze, freeze, frozen, unfreeze
from include.pipelines.deploy.go_live import go_live
from include.pipelines.deploy.hooks import DeployHooks
from include.pipelines.deploy.live import DEPLOY_REVISION, LivePointer
from include.pipelines.deploy.live_log import LiveStateError
from include.pipelines.deploy.requested import REASON_FORM, VERSION_FORM
from include.pipelines.deploy.resolve import (
    DeployTarget,
    SupersededError,
    UnverifiedServiceError,
    resolve,
    with_card,
)
from include.pipelines.deploy.restore import reject, restore
from include.pipelines.deploy.service import Rollout
from include.pipelines.deploy.verify import Verification, verify

__all__ = [
    "DEPLOY_REVISION",
    "FAILURES",
    "FAULT_KEY",
    "REASON_FORM",
    "VERSION_FORM",
    "DeployEndedError",
    "DeployHooks",
    "DeployRefusedError",
    "DeployTarget",
    "Freeze",
    "LivePointer",
    "LiveStateError",
    "Rollout",
    "SupersededError",
    "UnverifiedServiceError",
    "Verification",
    "VerificationError",
    "VersionFaultError",
    "freeze",
    "frozen",
    "go_live",
    "notes",
    "own_intent",
    "reject",
    "resolve",
    "restore",
    "unfreeze",
    "verify",
    "with_card",
]

FAILURES = (UserError, RefusedError, LiveStateError, DeployEndedError, UnverifiedServiceError, VerificationError)
"""After these, a task of a deploy fails without a retry."""
