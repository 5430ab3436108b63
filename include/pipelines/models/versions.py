"""The registered versions of a workload, kept in the process: what cannot change is described once.

A version's metadata is written once. Its approval status is in the listing, so a version is described again when that
has changed. The newest page of the listing is read every time, the older pages once a minute.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from include.errors import UserError
from include.pipelines.promotion.packages import Package, read_packages

FRESH_SECONDS = 2.0
"""One load of the page asks several routes: they share a listing."""
OLDER_SECONDS = 60.0

Summary = Mapping[str, Any]
"""An entry of ListModelPackages."""


class VersionReader(Protocol):
    """The model registry, as the page reads it (``nightjar.jobs.sagemaker.registry.RegistryHook``)."""

    def listed(self, *, newest_page: bool = False) -> Sequence[Summary]:
        """Returns ListModelPackages' entries, newest first: all, or those of the first page."""

    def describe(self, arns: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Returns DescribeModelPackage's answers, in the order of the ARNs."""


@dataclass(frozen=True)
class Version:
    """A version, and when it was registered."""

    package: Package
    created: datetime | None

    @property
    def number(self) -> int:
        """The version's number."""
        return self.package.version


@dataclass
class VersionList:
    """The versions of one workload, of which a process keeps one list. Threads may share it.

    Attributes:
        clock: Seconds that pass.
    """

    clock: Callable[[], float] = time.monotonic
    _entries: dict[str, Summary] = field(default_factory=dict)
    _described: dict[str, tuple[str, Version | None]] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _read_all_at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, reader: VersionReader) -> list[Version]:
        """Returns the versions, newest first. Versions that were created by hand are left out."""
        with self._lock:
            if self.clock() - self._read_at > FRESH_SECONDS:
                self._list(reader)
                self._describe(reader, [arn for arn, entry in self._entries.items() if self._is_new(arn, entry)])
                self._read_at = self.clock()  # the first descriptions of all versions take longer than it stays fresh
            found = (self._described[arn][1] for arn in self._entries)
            return sorted(filter(None, found), key=lambda version: version.number, reverse=True)

    def read_again(self, reader: VersionReader, number: int) -> Version:
        """Returns a version as it is now.

        Raises:
            UserError: There is none with this number.
        """
        known = {version.number: version.package.arn for version in self.read(reader)}
        if number not in known:
            newest = max(known, default=0)
            raise UserError(f"There is no version {number}; the newest is {newest}. Load the page again.")
        with self._lock:
            self._describe(reader, [known[number]])
            version = self._described[known[number]][1]
        assert version is not None
        return version

    def expire(self) -> None:
        """Makes the next reader list the newest versions again."""
        with self._lock:
            self._read_at = float("-inf")

    def forget(self) -> None:
        """Makes the next reader list all versions again, after a change."""
        with self._lock:
            self._read_at = self._read_all_at = float("-inf")

    def _list(self, reader: VersionReader) -> None:
        now = self.clock()
        everything = now - self._read_all_at > OLDER_SECONDS
        entries = {entry["ModelPackageArn"]: entry for entry in reader.listed(newest_page=not everything)}
        # Versions that moved to the second page since are among those that were known before.
        self._entries = entries if everything else {**self._entries, **entries}
        self._described = {arn: known for arn, known in self._described.items() if arn in self._entries}
        self._read_all_at = now if everything else self._read_all_at

    def _is_new(self, arn: str, entry: Summary) -> bool:
        return arn not in self._described or self._described[arn][0] != entry["ModelApprovalStatus"]

    def _describe(self, reader: VersionReader, arns: Sequence[str]) -> None:
        for arn, answer in zip(arns, reader.describe(arns) if arns else (), strict=True):
            packages = read_packages([answer])
            created = self._entries[arn].get("CreationTime")
            version = Version(packages[0], created) if packages else None
            self._described[arn] = (answer["ModelApprovalStatus"], version)
