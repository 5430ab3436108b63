"""Keeps the model registry and the live log in agreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from include.pipelines.deploy.live import LIVE, LivePointer
from include.pipelines.deploy.live_log import LiveStateError
from include.pipelines.promotion.packages import APPROVED, REJECTED, Package
from include.pipelines.promotion.registry import ModelRegistry


def check_live_package(workload: str, pointer: LivePointer, packages: Sequence[Package]) -> Package | None:
    """Returns the package of the live version; None where no version is live, or the registry does not have it.

    Raises:
        LiveStateError: Its bundle digest is not the live one.
    """
    found = next((package for package in packages if package.version == pointer["version"]), None)
    if found and found.metadata["bundle_digest"] != pointer["bundle_digest"]:
        raise LiveStateError(
            workload,
            f"The live log has version {found.version} with bundle {pointer['bundle_digest']}, but the registry has it "
            f"with bundle {found.metadata['bundle_digest']}.",
        )
    return found


def settle(pointer: LivePointer, packages: Sequence[Package], registry: ModelRegistry) -> list[Package]:
    """Rejects the approved versions that were rolled back from: the run that did so may have died before.

    Returns:
        The packages as they are now.
    """
    settled = []
    for package in packages:
        run_id = pointer["rolled_back"].get(str(package.version))
        if run_id and package.status == APPROVED and package.version != pointer["version"]:
            description = f"Rolled back from, by {run_id}"
            registry.set_approval_status(package.arn, REJECTED, description)
            settled.append(replace(package, status=REJECTED, description=description))
        else:
            settled.append(package)
    return settled


def approve_live(pointer: LivePointer, packages: Sequence[Package], registry: ModelRegistry) -> None:
    """Approves the live version if it is Rejected and a person had it deployed again, with the reason."""
    intent = pointer["intent"]
    for package in packages:
        is_live = intent is not None and intent["status"] == LIVE and package.version == pointer["version"]
        if intent and is_live and intent["reason"] and package.status != APPROVED:
            registry.set_approval_status(package.arn, APPROVED, f"Deployed by {intent['run_id']}: {intent['reason']}")
