"""A retention run: lists the transform runs and data sets that nothing needs and that are old, and deletes them.

Age alone protects what a running job writes or a waiting run is going to publish: the limits are far longer than a run
may take. The bucket is versioned and the role may not delete versions, so what was deleted can be restored for 30 days.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from include.errors import NothingToDoError, UserError
from include.lake import layout
from include.lake.instants import format_instant
from include.pipelines.listing import shortened
from include.pipelines.promotion.registry import ModelRegistry
from include.pipelines.protocols import ExpiringStore, PartitionLocations, StateStore
from include.pipelines.retention.needed import needed_datasets, needed_runs, unneeded
from include.settings import Settings
from include.workloads import Workload

log = logging.getLogger(__name__)


class Expired(TypedDict):
    """A prefix in the lake that was deleted, or would be."""

    prefix: str
    objects: int
    bytes: int
    newest: str
    """When its newest object was written: ISO 8601 UTC."""


@dataclass(frozen=True)
class RetentionRequest:
    """What a run is asked to do.

    Attributes:
        present: The present.
        older_than_days: Expire what is older than this, instead of by the workload's policy; None: by the policy.
        dry_run: Only list.
    """

    present: datetime
    older_than_days: int | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Retention:
    """Expires what a workload does not need any more."""

    workload: Workload
    settings: Settings
    objects: ExpiringStore
    catalog: PartitionLocations
    state: StateStore
    registry: ModelRegistry

    def run(self, request: RetentionRequest) -> list[Expired]:
        """Deletes what nothing needs and is old enough.

        Returns:
            What was deleted.

        Raises:
            UserError: ``older_than_days`` is below the setting.
            NothingToDoError: There is nothing, or it is a dry run: then the text lists what would be deleted.
            RefusedError: It is not known what is needed. Nothing is deleted.
        """
        floor, asked = self.settings.retention_floor_days, request.older_than_days
        if asked is not None and asked < floor:
            raise UserError(
                f"older_than_days is {asked}, below {floor}: a submit may still adopt a job whose files are younger."
            )
        found = list(self._expired(request))
        if not found:
            raise NothingToDoError("Nothing is old enough that no day and no version needs: nothing to expire.")
        lines = [f"{one['prefix']} ({one['objects']} objects, {one['bytes']} bytes)" for one in found]
        if request.dry_run:
            raise NothingToDoError(f"Dry run, would expire: {'; '.join(shortened(lines, 'prefixes'))}")
        for one in found:
            self.objects.delete_below(self.settings.lake_bucket, one["prefix"])
            log.info("Expired %s", one)
        return found

    def _expired(self, request: RetentionRequest) -> Iterator[Expired]:
        name, spec, lake = self.workload.name, self.workload.retention, self.settings.lake_bucket
        # Both before anything is listed: what is published or registered later is younger than any limit.
        runs = needed_runs(self.workload, lake, self.catalog, self.state)
        datasets = needed_datasets(self.workload, self.settings.artifact_bucket, self.objects, self.registry)
        for root, needed, days in (
            (layout.staging_root(name), runs, spec.staging_days),
            (layout.dataset_root(name), datasets, spec.dataset_days),
        ):
            age = timedelta(days=days if request.older_than_days is None else request.older_than_days)
            for prefix in unneeded(list(self.objects.folders(lake, root)), needed):
                facts = self.objects.below(lake, prefix)
                if facts.newest < request.present - age:
                    newest = format_instant(facts.newest)
                    yield {"prefix": prefix, "objects": facts.objects, "bytes": facts.bytes, "newest": newest}
