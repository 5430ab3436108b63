"""Finds the data sets that retrain runs have published, by their manifests."""

from __future__ import annotations

import json
from typing import Any

from include.errors import UserError
from include.lake import layout
from include.lake.manifest import DatasetManifest, dataset_version

NEWEST = "newest"


def find(s3: Any, bucket: str, workload: str, wanted: str) -> DatasetManifest:
    """Returns the manifest of a published data set.

    Args:
        s3: boto3's client of S3.
        bucket: The artifact bucket.
        workload: The workload's name.
        wanted: The version, or its first digits; ``newest``: the one that was written last.

    Raises:
        UserError: There is none, there are several, or it was altered.
    """
    prefix = layout.dataset_manifest_key(workload, "").removesuffix(".json")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found = [item for page in pages for item in page.get("Contents", []) if item["Key"].endswith(".json")]
    found.sort(key=lambda item: (item["LastModified"], item["Key"]))
    if not found:
        raise UserError(f"{workload} has no data set in {bucket}. Run {workload}_retrain once: it publishes one.")
    chosen = found[-1:] if wanted == NEWEST else [item for item in found if item["Key"].startswith(prefix + wanted)]
    versions = [item["Key"].removeprefix(prefix).removesuffix(".json") for item in chosen or found]
    if len(chosen) != 1:
        kind = "fits several" if chosen else "is none of the"
        raise UserError(f"{wanted!r} {kind} data sets of {workload}: {', '.join(versions[-10:])}. Name one of them.")
    manifest: DatasetManifest = json.loads(s3.get_object(Bucket=bucket, Key=chosen[0]["Key"])["Body"].read())
    if dataset_version(manifest) != versions[0]:
        raise UserError(f"The manifest {chosen[0]['Key']} was altered. Restore the object's earlier version in S3.")
    return manifest
