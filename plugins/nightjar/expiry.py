"""Objects in S3 that may be deleted: for the one DAG that does it."""

from __future__ import annotations

from datetime import datetime
from itertools import batched
from typing import NamedTuple

from nightjar.objects import ObjectStoreHook

DELETED_AT_ONCE = 1000  # what DeleteObjects takes


class ExpiryError(Exception):
    """S3 did not delete an object."""


class StoredBelow(NamedTuple):
    """The objects below a prefix."""

    objects: int
    bytes: int
    newest: datetime


class ExpiryHook(ObjectStoreHook):
    """Lists and deletes what is below a prefix. In a versioned bucket, deleting leaves the versions."""

    def below(self, bucket: str, prefix: str) -> StoredBelow:
        """Sums up the objects below a prefix, of which there is at least one."""
        pages = self.conn.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        entries = [entry for page in pages for entry in page.get("Contents", ())]
        return StoredBelow(
            len(entries), sum(entry["Size"] for entry in entries), max(entry["LastModified"] for entry in entries)
        )

    def delete_below(self, bucket: str, prefix: str) -> None:
        """Deletes the objects below a prefix.

        Raises:
            ValueError: The prefix does not end with a slash, so it could match others too.
            ExpiryError: S3 did not delete an object.
        """
        if not prefix.endswith("/"):
            raise ValueError(f"{prefix} does not end with a slash: it could match other prefixes too")
        for keys in batched(self.keys(bucket, prefix), DELETED_AT_ONCE):
            answer = self.conn.delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
            if errors := answer.get("Errors"):
                first = errors[0]
                raise ExpiryError(
                    f"{len(errors)} objects below s3://{bucket}/{prefix} were not deleted, first {first.get('Key')}: "
                    f"{first.get('Code')}: {first.get('Message')}. Clear the task to try again."
                )
