"""Model packages as the registry would list them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from include.pipelines.promotion.packages import METADATA, ApprovalStatus, Package, PackageMetadata, flag_text


def package(version: int, cutoff: str, status: str = "Approved", backfilled: bool = False) -> Package:
    """Returns a package with every metadata key set."""
    metadata = metadata_of(
        data_cutoff=cutoff,
        backfilled=flag_text(backfilled),
        bundle_uri=f"s3://artifact/{version}/bundle.tar.gz",
        bundle_digest=f"d{version}",
    )
    return Package(version, f"arn:{version}", status, "golden rows differ", metadata)


def metadata_of(**values: str) -> PackageMetadata:
    """Returns metadata in which every other key is ``x``."""
    return cast("PackageMetadata", dict.fromkeys(METADATA, "x") | values)


def described(package: Package) -> dict[str, Any]:
    """Returns DescribeModelPackage's answer for a package."""
    return {
        "ModelPackageVersion": package.version,
        "ModelPackageArn": package.arn,
        "ModelApprovalStatus": package.status,
        "ApprovalDescription": package.description,
        "CustomerMetadataProperties": package.metadata,
    }


class Registry:
    """A model registry in memory, which records the changes of approval status. It holds :data:`PACKAGES` at first."""

    def __init__(self, packages: Iterable[Package] | None = None) -> None:
        self.packages = list(PACKAGES if packages is None else packages)
        self.changes: list[tuple[str, str, str]] = []

    def described(self) -> list[dict[str, Any]]:
        return [described(package) for package in self.packages]

    def register(self, **arguments: Any) -> dict[str, Any]:
        raise AssertionError("nothing is registered here")

    def add_metadata(self, arn: str, metadata: Mapping[str, str]) -> dict[str, Any]:
        raise AssertionError("nothing is registered here")

    def set_approval_status(self, arn: str, status: ApprovalStatus, description: str) -> None:
        self.changes.append((arn, status, description))
        self.packages = [
            replace(package, status=status, description=description) if package.arn == arn else package
            for package in self.packages
        ]


PACKAGES = [
    package(5, "2013-03-04T00:00:00Z", "Rejected"),
    package(4, "2013-03-01T00:00:00Z", backfilled=True),
    package(3, "2013-03-03T00:00:00Z"),
    package(2, "2013-03-02T00:00:00Z"),
    package(1, "2013-03-01T00:00:00Z"),
]
