"""A model package (one version of a workload's model): its metadata, and queries over the versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NotRequired, TypedDict, cast

from include.errors import NightjarError
from include.lake.instants import parse_instant

ApprovalStatus = Literal["Approved", "PendingManualApproval", "Rejected"]
APPROVED: Final = "Approved"
PENDING: Final = "PendingManualApproval"
REJECTED: Final = "Rejected"

PROMOTED, REFUSED = "promoted", "refused"  # values of the metadata's decision
NONE = "none"  # the text of an absent value, because SageMaker takes no empty one
VALUE_LENGTH = 256  # SageMaker's limit for a value of CustomerMetadataProperties
DESCRIPTION_LENGTH = 1024  # SageMaker's limit for an ApprovalDescription


class MetadataError(NightjarError, ValueError):
    """A value of the metadata is empty, or longer than SageMaker takes. The text names its key."""


class CardMetadata(TypedDict, total=False):
    """Where the version's model card is; a version without one lacks both."""

    card_uri: str
    card_sha256: str


class ShadowMetadata(TypedDict, total=False):
    """Where the report of the version's shadow is; a version that was not compared so lacks it."""

    shadow_uri: str


class TuningMetadata(TypedDict, total=False):
    """What a version records about tuning. Versions of earlier releases have none of it."""

    tuning: str
    """The submit key of the tuning job that the run had, or ``none``."""
    tuned: str
    """The model's hyperparameters that tuning found, now or for an earlier version (``tuned_text``), or ``none``."""
    tuned_for: str
    """Digest of the declaration in place of which they are (``include.pipelines.retrain.tuning``), or ``none``."""


class PackageMetadata(CardMetadata, ShadowMetadata, TuningMetadata):
    """What every version records about itself: texts, because SageMaker keeps nothing else."""

    workload: str
    dataset_version: str
    code_sha: str
    image: str
    """The training image."""
    feature_code_hash: str
    data_cutoff: str
    """ISO 8601 UTC. The oldest versions have a shorter text, so compare :attr:`Package.cutoff`, not the text."""
    bundle_digest: str
    bundle_uri: str
    auc: str
    """Six decimals, as the other metrics, or ``none``."""
    auc_low: str
    auc_high: str
    champion: str
    """The version that the candidate was compared with, or ``none``."""
    auc_difference: str
    """Candidate minus champion, or ``none``."""
    decision: str
    """``promoted`` or ``refused``."""
    decision_uri: str
    decision_sha256: str
    evaluation_uri: str
    evaluation_sha256: str
    cost_usd: str
    """Of the run's remote jobs, failed attempts included (``include.pipelines.retrain.cost``), or ``unknown``."""
    processing_usd: NotRequired[str]
    """Of the Glue jobs that made the version's own day; the oldest versions do not say it."""
    backfilled: str
    """``true`` or ``false``."""
    day: str
    """The day of the retrain run, ``YYYY-MM-DD``."""


METADATA: frozenset[str] = PackageMetadata.__required_keys__  # TuningMetadata's are not among them


class LiveVersion(TypedDict):
    """What the promotion decision needs of a version that was live; the texts are those of the metadata."""

    version: int
    champion: str
    auc_difference: str


@dataclass(frozen=True)
class Package:
    """One version as the registry describes it."""

    version: int
    arn: str
    status: str
    description: str
    metadata: PackageMetadata

    @property
    def cutoff(self) -> datetime:
        """The data cut-off."""
        return parse_instant(self.metadata["data_cutoff"])

    @property
    def backfilled(self) -> bool:
        """Whether a backfill made the version, or it was made for a day that a later approved version had covered."""
        return self.metadata["backfilled"] == flag_text(True)


def decimal_text(number: float | None) -> str:
    """Formats a metric; one that could not be computed is ``none``."""
    return NONE if number is None else f"{number:.6f}"


def flag_text(flag: bool) -> str:
    """Formats a boolean as ``true`` or ``false``."""
    return "true" if flag else "false"


def metadata_texts(metadata: PackageMetadata | CardMetadata | ShadowMetadata) -> Mapping[str, str]:
    """Returns the metadata as SageMaker takes it.

    Raises:
        MetadataError: A value is empty, or longer than SageMaker takes.
    """
    texts = cast("Mapping[str, str]", metadata)
    for name, text in texts.items():
        if not 0 < len(text) <= VALUE_LENGTH:
            raise MetadataError(
                f"model package metadata: {name} has {len(text)} characters, allowed are 1 to {VALUE_LENGTH}. "
                "Shorten the bucket or workload name."
            )
    return texts


def read_packages(described: Iterable[Mapping[str, Any]]) -> list[Package]:
    """Reads DescribeModelPackage's answers.

    Versions without the metadata of :class:`PackageMetadata` are left out: they were created by hand.

    Returns:
        The versions, newest first.
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


def approval_description(reasons: Iterable[str]) -> str:
    """Joins reasons to one text, cut to the length that SageMaker takes."""
    text = " ".join(reasons)
    return text if len(text) <= DESCRIPTION_LENGTH else text[: DESCRIPTION_LENGTH - 1] + "…"


def find_champion(
    packages: Iterable[Package], live_version: int | None, cutoff: datetime, *, backfilled: bool
) -> Package | None:
    """Returns the version that a candidate with this cut-off is compared with.

    That is the live version. A backfilled candidate is compared with the newest approved version with an older cut-off.
    """
    if not backfilled:
        return next((package for package in packages if package.version == live_version), None)
    older = [package for package in packages if package.status == APPROVED and package.cutoff < cutoff]
    return max(older, key=lambda package: (package.cutoff, package.version), default=None)


def find_twin(
    packages: Iterable[Package], dataset_version: str, code_sha: str, image: str, tuning: str
) -> Package | None:
    """Returns the version that was made from the same data set, code and training image with the same tuning, or None.

    A candidate that is its copy is compared with what it was compared with, because no version is its own champion.
    """
    made_from = {"dataset_version": dataset_version, "code_sha": code_sha, "image": image, "tuning": tuning}

    def is_twin(package: Package) -> bool:
        return made_from.items() <= {"tuning": NONE, **package.metadata}.items()

    return next((package for package in packages if is_twin(package)), None)


def is_overtaken(packages: Iterable[Package], cutoff: datetime) -> bool:
    """Whether a version with a later cut-off is approved, so that a candidate with this one counts as backfilled.

    A backfilled version overtakes nobody: it is never live by itself, so the night that it is ahead of still matters.
    """
    return any(
        package.status == APPROVED and not package.backfilled and package.cutoff > cutoff for package in packages
    )


def live_history(packages: Iterable[Package], versions: Iterable[int]) -> list[LiveVersion]:
    """Returns what the promotion decision needs of versions that were live, in the order given."""
    by_version = {package.version: package.metadata for package in packages}
    return [
        {
            "version": version,
            "champion": by_version[version]["champion"],
            "auc_difference": by_version[version]["auc_difference"],
        }
        for version in versions
        if version in by_version
    ]
