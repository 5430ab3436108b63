"""A version of a model group, read from what SageMaker describes, and the metadata that every version carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

APPROVED, PENDING, REJECTED = "Approved", "PendingManualApproval", "Rejected"

METADATA = frozenset(
    {
        "workload",
        "dataset_version",
        "code_sha",
        "image",
        "feature_code_hash",
        "data_cutoff",
        "bundle_digest",
        "bundle_uri",
        "auc",
        "auc_low",
        "auc_high",
        "champion",
        "auc_difference",
        "decision",
        "decision_uri",
        "decision_sha256",
        "evaluation_uri",
        "evaluation_sha256",
        "cost_usd",
        "backfilled",
        "day",
    }
)
VALUE_LENGTH = 256  # SageMaker's limit for a value of CustomerMetadataProperties
DESCRIPTION_LENGTH = 1024  # and for an ApprovalDescription


@dataclass(frozen=True)
class Package:
    """One version. ``metadata``: strings, as SageMaker keeps them."""

    version: int
    arn: str
    status: str
    description: str
    metadata: Mapping[str, str]

    @property
    def cutoff(self) -> str:
        """Data cut-off, ISO 8601 UTC with ``Z``: later is greater as text."""
        return self.metadata["data_cutoff"]

    @property
    def backfilled(self) -> bool:
        """Whether it was made for a night that had already been overtaken."""
        return self.metadata["backfilled"] == "true"


def read_packages(described: Iterable[Mapping[str, Any]]) -> list[Package]:
    """Packages of DescribeModelPackage answers, newest version first. Those that lack the platform's metadata are left out:
    made by hand.
    """
    packages = [
        Package(
            version=answer["ModelPackageVersion"],
            arn=answer["ModelPackageArn"],
            status=answer["ModelApprovalStatus"],
            description=answer.get("ApprovalDescription", ""),
            metadata=answer["CustomerMetadataProperties"],
        )
        for answer in described
        if answer.get("CustomerMetadataProperties", {}).keys() >= METADATA
    ]
    return sorted(packages, key=lambda package: package.version, reverse=True)


def metadata(**values: str | float | bool) -> dict[str, str]:
    """A package's metadata as SageMaker takes it. Raises ValueError that names a key that is missing, unknown, empty or too
    long.
    """
    if values.keys() != METADATA:
        wrong = sorted(values.keys() ^ METADATA)
        raise ValueError(f"model package metadata: missing or unknown keys {', '.join(wrong)}")
    texts = {name: _text(value) for name, value in values.items()}
    for name, text in texts.items():
        if not 0 < len(text) <= VALUE_LENGTH:
            raise ValueError(
                f"model package metadata: {name} has {len(text)} characters, allowed are 1 to {VALUE_LENGTH}"
            )
    return texts


def approval_description(reasons: Iterable[str]) -> str:
    """Reasons as one text, cut to what SageMaker takes."""
    text = " ".join(reasons)
    return text if len(text) <= DESCRIPTION_LENGTH else text[: DESCRIPTION_LENGTH - 1] + "…"


def champion(packages: Iterable[Package], live_version: int | None, cutoff: str, backfilled: bool) -> Package | None:
    """Whom a candidate of this cut-off has to beat: the live version; in a backfilled night the newest approved with an older
    cut-off.
    """
    if not backfilled:
        return next((package for package in packages if package.version == live_version), None)
    older = [package for package in packages if package.status == APPROVED and package.cutoff < cutoff]
    return max(older, key=lambda package: (package.cutoff, package.version), default=None)


def overtaken(packages: Iterable[Package], cutoff: str) -> bool:
    """Whether a version with a later cut-off was already approved, so that a night of this cut-off is rebuilt history."""
    return any(package.status == APPROVED and package.cutoff > cutoff for package in packages)


def live_history(packages: Iterable[Package], versions: Iterable[int]) -> list[dict[str, Any]]:
    """What ``include.pipelines.promotion.decide`` wants to know of versions that were live, in the order given."""
    by_version = {package.version: package.metadata for package in packages}
    wanted = ("champion", "auc_difference")
    return [{"version": v, **{name: by_version[v][name] for name in wanted}} for v in versions if v in by_version]


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
