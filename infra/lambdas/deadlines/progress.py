"""How far a night has come, as the state table and the model registry have it.

It repeats names of ``include/lake`` and of ``include/pipelines``, which a test holds against them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from infra.lambdas.deadlines.nights import Night

NEWEST = 50  # model packages that are looked at
PUBLISHED, REFUSED, APPROVED = "published", "refused", "Approved"


@dataclass(frozen=True)
class Missing:
    """What a night lacks, and what a person can do."""

    what: str
    advice: str


@dataclass(frozen=True)
class _Package:
    version: int
    status: str
    backfilled: bool


class Progress:
    """Reads what became of a workload's nights.

    Args:
        table: The state table.
        workload: The workload.
        dynamodb: A client.
        sagemaker: A client.
    """

    def __init__(self, table: str, workload: str, dynamodb: Any, sagemaker: Any) -> None:
        self._table = table
        self._workload = workload
        self._dynamodb = dynamodb
        self._sagemaker = sagemaker

    def missing(self, night: Night, *, deploys: bool) -> Missing | None:
        """Returns what a night lacks; None if it has ended, also if it was refused, which the red run has told.

        Args:
            night: The night.
            deploys: Whether an approved version must be live.
        """
        statuses = {day: self._status(day) for day in night.days}
        if REFUSED in statuses.values():
            return None
        if unpublished := [day for day, status in statuses.items() if status != PUBLISHED]:
            return self._unpublished(unpublished)
        if not night.retrains:
            return None
        package = self._packages.get(night.day.isoformat())
        if package is None:
            return Missing(
                f"Day {night.day} is published, but no model was decided on.",
                f"Look at the newest run of {self._workload}_retrain: what it waits for, or whether it was started. "
                f"Then clear its tasks, or trigger it with date {night.day}.",
            )
        return self._not_live(package) if deploys else None

    def _unpublished(self, days: list[date]) -> Missing:
        named = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} days)"
        return Missing(
            f"Day {named} is not published.",
            f"Look at the newest runs of {self._workload}_process: what they wait for, or whether they were started; "
            f"then at those of {self._workload}_ingest_stream and {self._workload}_ingest_tables.",
        )

    def _not_live(self, package: _Package) -> Missing | None:
        version = package.version
        pointer = self._item(f"live#{self._workload}", "pointer") or {}
        gone = {*map(int, pointer.get("history", ())), *map(int, pointer.get("rolled_back", {}))}
        live = pointer.get("version")
        overtaken = version in gone or pointer.get("hold") or (live is not None and live >= version)
        if package.status != APPROVED or package.backfilled or overtaken:
            return None
        return Missing(
            f"Version {version} is approved, but version {'none' if live is None else live} is live.",
            f"Look at the newest run of {self._workload}_deploy, or trigger it with version {version}.",
        )

    def _status(self, day: date) -> str | None:
        item = self._item(f"day#{self._workload}", day.isoformat())
        return str(item["status"]) if item else None

    def _item(self, pk: str, sk: str) -> dict[str, Any] | None:
        found = self._dynamodb.get_item(
            TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
        ).get("Item")
        read = TypeDeserializer().deserialize
        return {name: read(value) for name, value in found.items()} if found else None

    @cached_property
    def _packages(self) -> dict[str, _Package]:
        """Day → the newest model package that was registered for it, among the newest ones."""
        found = self._sagemaker.list_model_packages(
            ModelPackageGroupName=f"nightjar-{self._workload}",
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=NEWEST,
        )["ModelPackageSummaryList"]
        packages: dict[str, _Package] = {}
        for summary in found:
            described = self._sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
            metadata = described.get("CustomerMetadataProperties", {})
            backfilled = metadata.get("backfilled") == "true"
            package = _Package(described["ModelPackageVersion"], described["ModelApprovalStatus"], backfilled)
            packages.setdefault(metadata.get("day", ""), package)
        return packages
