"""What must stay: what a published partition, a day's newest run or a registered version needs."""

from __future__ import annotations

from collections.abc import Collection

from include.errors import RefusedError
from include.lake import layout, resources, state_keys
from include.lake.uris import s3_uri, split_s3_uri
from include.pipelines.promotion.packages import REJECTED, read_packages
from include.pipelines.promotion.registry import ModelRegistry
from include.pipelines.protocols import ObjectStore, PartitionLocations, StateStore
from include.workloads import Workload


def needed_runs(workload: Workload, lake_bucket: str, catalog: PartitionLocations, state: StateStore) -> set[str]:
    """Returns the staging prefixes that stay: those of published partitions, and of the newest run of each day.

    The catalog is asked too, because a refused day may have an older publication.

    Args:
        workload: The workload.
        lake_bucket: The lake bucket.
        catalog: The catalog database.
        state: The state table.

    Raises:
        RefusedError: A partition lies elsewhere, so it is not known what it needs.
    """
    root = layout.staging_root(workload.name)
    needed = set()
    for event in workload.events:
        for location in catalog.locations(resources.table_name(workload.name, event)):
            bucket, key = split_s3_uri(location)
            if bucket != lake_bucket or not key.startswith(root):
                raise RefusedError(
                    f"A partition of {workload.name} lies at {location}, not below {s3_uri(lake_bucket, root)}: "
                    "nothing is expired. Process its day again, or drop the partition."
                )
            needed.add(layout.staging_prefix(workload.name, key.removeprefix(root).split("/")[0]))
    items = state.query(state_keys.day_partition_key(workload.name)).values()
    return needed | {layout.staging_prefix(workload.name, item["run"]) for item in items if item.get("run")}


def needed_datasets(
    workload: Workload, artifact_bucket: str, objects: ObjectStore, registry: ModelRegistry
) -> set[str]:
    """Returns the prefixes of the data sets that an approved or pending version was trained on.

    Raises:
        RefusedError: The manifest of one is lost, so it is not known where it lies.
    """
    versions = {
        package.metadata["dataset_version"]: package.version
        for package in read_packages(registry.described())
        if package.status != REJECTED
    }
    return {_location(workload.name, found, version, artifact_bucket, objects) for found, version in versions.items()}


def _location(workload: str, dataset: str, version: int, bucket: str, objects: ObjectStore) -> str:
    key = layout.dataset_manifest_key(workload, dataset)
    manifest = objects.get_json(bucket, key)
    if manifest is None:
        raise RefusedError(
            f"{s3_uri(bucket, key)}, the data set of version {version}, is lost: nothing is expired. Restore it from "
            "the bucket's older versions, or reject the version."
        )
    return split_s3_uri(manifest["location"])[1]


def unneeded(found: Collection[str], needed: Collection[str]) -> list[str]:
    """Returns the prefixes that nothing needs, in order."""
    return sorted(set(found) - set(needed))
