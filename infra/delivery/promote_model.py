"""Promotes an approved model version from one account to another, by digest.

Copies bundle, evaluation, decision and model card, checks each digest before and after, and registers the version there
with the same metadata and with where it came from. The same version is registered once, however often this runs. What
it was compared with stays behind, as ``source_champion``: ``champion`` would name a version of the target's registry.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.lake import layout
from include.lake.uris import s3_uri
from include.pipelines.promotion.packages import APPROVED, METADATA, NONE, PENDING, ApprovalStatus
from infra.delivery import aws, command
from infra.delivery.command import DeliveryError
from infra.delivery.registry import ModelAccount
from infra.package.write_once import put_once

# Metadata key of a URI → key of its digest, and the file's name at the target.
DOCUMENTS = {
    "bundle_uri": ("bundle_digest", layout.BUNDLE_FILE),
    "evaluation_uri": ("evaluation_sha256", layout.EVALUATION_FILE),
    "decision_uri": ("decision_sha256", layout.DECISION_FILE),
    "card_uri": ("card_sha256", layout.CARD_FILE),  # a version may lack it
}
STAGE = "promoted"  # the service's role may read every stage of its workload's jobs


def promote(
    source: ModelAccount,
    target: ModelAccount,
    workload: str,
    version: int,
    *,
    bucket: str,
    status: ApprovalStatus = PENDING,
    image: str | None = None,
) -> Mapping[str, Any]:
    """Promotes a version and returns its description at the target.

    Args:
        source: Where it was trained.
        target: Where it is to serve.
        workload: The workload.
        version: The version at the source.
        bucket: The artifact bucket of the target.
        status: Its approval status at the target.
        image: The service's image at the target, for the registry; None: as at the source.

    Raises:
        DeliveryError: The version is not approved, is not one of a retrain run, has another digest than recorded, or
            the target has no such workload.
        ConflictError: The target has another file at one of its keys.
    """
    target.require_group(workload)
    package = source.package(workload, version)
    metadata = _approved_metadata(package, workload)
    digest = metadata["bundle_digest"]
    prefix = layout.job_prefix(workload, STAGE, digest)
    documents = {uri: found for uri, found in DOCUMENTS.items() if uri in metadata}
    bodies = {uri: source.read(metadata[uri], metadata[sha256]) for uri, (sha256, _) in documents.items()}
    uris = {}
    for uri, (sha256, name) in documents.items():
        put_once(target.s3, bucket, prefix + name, bodies[uri])
        uris[uri] = s3_uri(bucket, prefix + name)
        target.read(uris[uri], metadata[sha256])
    wanted = _target_metadata(metadata, uris, str(package["ModelPackageArn"]))
    for known in target.packages(workload):
        if known.get("CustomerMetadataProperties", {}).get("bundle_digest") == digest:
            return _registered(target, known, status)
    containers = package["InferenceSpecification"]["Containers"]
    token = hashlib.sha256(f"{workload} {digest}".encode()).hexdigest()[:36]
    made = target.create(workload, package, image or containers[0]["Image"], wanted, token)
    return _registered(target, made, status)


def _approved_metadata(package: Mapping[str, Any], workload: str) -> Mapping[str, str]:
    version, status = package["ModelPackageVersion"], package["ModelApprovalStatus"]
    metadata: Mapping[str, str] = package.get("CustomerMetadataProperties", {})
    if status != APPROVED:
        reason = package.get("ApprovalDescription", "no reason is recorded")
        raise DeliveryError(f"Version {version} of {workload} is {status} ({reason}). Only Approved ones are promoted.")
    if missing := sorted(METADATA - metadata.keys()):
        raise DeliveryError(
            f"Version {version} of {workload} lacks the metadata {', '.join(missing)}: no retrain run registered it."
        )
    return metadata


def _target_metadata(metadata: Mapping[str, str], uris: Mapping[str, str], arn: str) -> dict[str, str]:
    source = {
        "source_package": arn,
        "source_bundle_uri": metadata["bundle_uri"],
        "source_champion": metadata["champion"],
        "source_auc_difference": metadata["auc_difference"],
    }
    return {**metadata, **uris, **source, "champion": NONE, "auc_difference": NONE}


def _registered(target: ModelAccount, package: Mapping[str, Any], status: ApprovalStatus) -> Mapping[str, Any]:
    """Approves a pending version if it was asked for; a status that a person or a deploy has set stays."""
    if status == APPROVED and package["ModelApprovalStatus"] == PENDING:
        source = package["CustomerMetadataProperties"].get("source_package", "the same bundle")
        target.set_status(package["ModelPackageArn"], APPROVED, f"Promoted from {source}")
        return {**package, "ModelApprovalStatus": APPROVED}
    return package


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.promote_model", description=__doc__)
    made.add_argument("--workload", required=True, help="the workload")
    made.add_argument("--version", type=int, required=True, help="the version at the source")
    made.add_argument("--artifact-bucket", required=True, help="the target's artifact bucket")
    made.add_argument("--image", help="the target's image of the service, by digest; default: that of the source")
    made.add_argument("--approve", action="store_true", help="register it as Approved; default: PendingManualApproval")
    made.add_argument("--version-file", type=Path, help="file that gets the version at the target")
    for side in ("source-", "target-"):
        aws.add_arguments(made, side)
    return made


def main(given: argparse.Namespace) -> None:
    """Promotes the version."""
    sides = {}
    for side in ("source", "target"):
        account = aws.account(given, f"{side}-")
        sides[side] = ModelAccount(side, account.client("sagemaker"), account.client("s3"))
    made = promote(
        sides["source"],
        sides["target"],
        given.workload,
        given.version,
        bucket=given.artifact_bucket,
        status=APPROVED if given.approve else PENDING,
        image=given.image,
    )
    version, digest = made["ModelPackageVersion"], made["CustomerMetadataProperties"]["bundle_digest"]
    print(f"{given.workload} version {version} at the target, {made['ModelApprovalStatus']}, bundle {digest}")
    if given.version_file:
        given.version_file.write_text(f"{version}\n")


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
