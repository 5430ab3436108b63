"""What the pipelines need of the model registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from include.pipelines.promotion.packages import ApprovalStatus


class ModelRegistry(Protocol):
    """The versions of a workload's model (``nightjar.jobs.sagemaker.registry.RegistryHook``)."""

    def described(self) -> Sequence[Mapping[str, Any]]:
        """Returns DescribeModelPackage's answer for every version, newest first."""

    def register(
        self,
        *,
        image: str,
        model_uri: str,
        status: ApprovalStatus,
        description: str,
        metadata: Mapping[str, str],
        unique: str,
    ) -> Mapping[str, Any]:
        """Creates a version, unless one exists with the same value under the metadata key ``unique``; describes it."""

    def set_approval_status(self, arn: str, status: ApprovalStatus, description: str) -> None:
        """Sets a version's approval status and the reason for it."""

    def add_metadata(self, arn: str, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Adds entries to a version's metadata; describes it."""
