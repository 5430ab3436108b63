"""Waits for ECR's scan of the images and refuses findings of a severity."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from infra.delivery import aws, command, images
from infra.delivery.command import DeliveryError

RANKS = ("CRITICAL", "HIGH", "MEDIUM", "LOW")


def findings(ecr: Any, repository: str, digest: str, *, timeout: float, poll_seconds: float) -> dict[str, int]:
    """Severity → number of findings, once the scan has ended.

    Raises:
        DeliveryError: The scan failed, or has not ended in time.
    """
    deadline, status = time.monotonic() + timeout, "not found"
    while time.monotonic() < deadline:
        try:
            answer = ecr.describe_image_scan_findings(repositoryName=repository, imageId={"imageDigest": digest})
        except ecr.exceptions.ScanNotFoundException:  # it begins some seconds after the push
            status = "not found"
        else:
            status = answer["imageScanStatus"]["status"]
            if status in ("COMPLETE", "ACTIVE"):
                return dict(answer["imageScanFindings"].get("findingSeverityCounts", {}))
            if status not in ("IN_PROGRESS", "PENDING"):
                break
        time.sleep(poll_seconds)
    raise DeliveryError(
        f"The scan of {repository}@{digest} is {status} after {timeout:.0f} s at most. Does the repository scan on "
        "push? Start one: aws ecr start-image-scan"
    )


def refused(counts: dict[str, int], severity: str) -> dict[str, int]:
    """The findings of this severity or a worse one."""
    worse = RANKS[: RANKS.index(severity) + 1]
    return {name: number for name, number in counts.items() if name in worse and number}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.scan_images", description=__doc__)
    made.add_argument("--images", type=Path, required=True, help="file that infra.delivery.push_images wrote")
    made.add_argument("--refuse", choices=RANKS, default="CRITICAL", help="this severity or worse (%(default)s)")
    made.add_argument("--timeout", type=float, default=900, help="seconds to wait (default: %(default)s)")
    made.add_argument("--poll-seconds", type=float, default=5, help="seconds between two looks (default: %(default)s)")
    aws.add_arguments(made)
    return made


def main(given: argparse.Namespace) -> None:
    """Checks the scans of all images."""
    references, bad = images.read(given.images), {}
    ecr = aws.account(given).client("ecr")
    for image in images.named(references):
        digest = images.checked(references[image.name].partition("@")[2])
        wait = {"timeout": given.timeout, "poll_seconds": given.poll_seconds}
        counts = findings(ecr, image.repository, digest, **wait)
        print(f"{image.name}: {counts or 'no findings'}")
        if found := refused(counts, given.refuse):
            bad[image.name] = found
    if bad:
        raise DeliveryError(f"Findings that are refused: {bad}. Update the base image or the package, and build again.")


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
