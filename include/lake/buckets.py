"""The two buckets of data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DataBuckets:
    """Where data are. Only keyword arguments, so that the two names cannot be swapped.

    Attributes:
        raw: Raw objects: each is written once and never replaced.
        lake: Everything else: what is made from raw objects, and the markers and quarantined records beside them.
    """

    raw: str
    lake: str
