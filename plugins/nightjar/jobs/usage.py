"""What AWS reports of an ended job, as far as it is charged for it. Prices are not known here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict, Unpack


class JobUsage(TypedDict):
    """What one ended job has used. What does not apply to its service is 0, empty or None."""

    service: str
    """``glue``, ``athena`` or ``sagemaker``."""
    kind: str
    """What it is, for people: the Glue job's name, ``query``, ``training``, …"""
    job: str
    """Its id in AWS."""
    state: str
    key: str | None
    """The submit key of the attempt; None for a job that no submit task started."""
    ended_at: str
    """ISO 8601 UTC."""
    size: str
    """Worker type or instance type."""
    count: int
    """Workers or instances."""
    seconds: float
    """That are charged of each of them."""
    dpu_seconds: float | None
    """Glue: where AWS reports them itself."""
    is_flexible: bool
    scanned_bytes: int
    is_free: bool
    """AWS charges nothing for it."""
    volume_gb: float
    """The volume of each instance."""


class Measured(TypedDict):
    """The members of a usage that not every service has."""

    size: NotRequired[str]
    count: NotRequired[int]
    seconds: NotRequired[float]
    dpu_seconds: NotRequired[float | None]
    is_flexible: NotRequired[bool]
    scanned_bytes: NotRequired[int]
    is_free: NotRequired[bool]
    volume_gb: NotRequired[float]


def job_usage(
    service: str,
    kind: str,
    job: str,
    state: str | None,
    key: str | None,
    ended_at: datetime,
    **measured: Unpack[Measured],
) -> JobUsage:
    """Returns a usage; what is not given does not apply."""
    found: Any = {
        "service": service,
        "kind": kind,
        "job": job,
        "state": state or "",
        "key": key,
        "ended_at": ended_at.astimezone(UTC).isoformat(),
        "size": "",
        "count": 0,
        "seconds": 0.0,
        "dpu_seconds": None,
        "is_flexible": False,
        "scanned_bytes": 0,
        "is_free": False,
        "volume_gb": 0.0,
        **measured,
    }
    usage: JobUsage = found
    return usage
