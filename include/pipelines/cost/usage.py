"""What AWS charges for one ended job, priced. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypedDict

from include.pipelines.cost.prices import Prices


class JobUsage(TypedDict):
    """What AWS reports of an ended job (``nightjar.jobs.usage.JobUsage``). What does not apply is 0, empty or None."""

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
    """Glue: where AWS reports them itself (auto scaling, flexible execution)."""
    is_flexible: bool
    scanned_bytes: int
    is_free: bool
    """AWS charges nothing: a query that failed, or that scans no data."""
    volume_gb: float
    """SageMaker: the volume of each instance."""


@dataclass(frozen=True)
class Charge:
    """A priced quantity.

    Attributes:
        quantity: How much.
        unit: Of what.
        usd: Dollars; None where the table has no price.
        priced: When the price was noted; None where there is none.
    """

    quantity: float
    unit: str
    usd: float | None
    priced: date | None


def price_of(usage: JobUsage, table: Prices) -> Charge:
    """Prices a job."""
    if usage["service"] == "athena":
        return query_charge(usage["scanned_bytes"], table, is_free=usage["is_free"])
    if usage["service"] == "glue":
        return _glue_charge(usage, table)
    return instance_charge(usage["size"], usage["count"] * usage["seconds"], table, volume_gb=usage["volume_gb"])


def query_charge(scanned_bytes: int, table: Prices, *, is_free: bool = False) -> Charge:
    """Prices an Athena query by what it scanned, and at least by the minimum."""
    scanned = 0 if is_free else max(scanned_bytes, table.rules.athena_minimum_bytes)
    return _charge(scanned / table.rules.terabyte, "TB scanned", "athena_tb", table)


def glue_charge(seconds: float, worker_type: str | None, workers: int, table: Prices) -> Charge:
    """Prices a Glue run by its time and its workers."""
    dpus = table.rules.worker_dpus.get(worker_type or "")
    if dpus is None:
        return Charge(seconds * workers / 3600, f"hours of {worker_type}", None, None)
    charged = max(seconds, table.rules.glue_minimum_seconds)
    return _charge(charged / 3600 * dpus * workers, "DPU hours", "glue_dpu_hour", table)


def instance_price(instance_type: str) -> str:
    """The name of an instance hour in the price table."""
    return f"instance_hour.{instance_type}"


def instance_charge(instance_type: str, seconds: float, table: Prices, *, volume_gb: float = 0) -> Charge:
    """Prices a SageMaker job.

    Args:
        instance_type: The type of its instances.
        seconds: Those that are charged, of all instances together.
        table: The prices.
        volume_gb: The volume of each instance.
    """
    name = instance_price(instance_type)
    hours = seconds / 3600
    volume = volume_gb * hours / table.hours * (table.usd("job_volume_gb") or 0)
    found = _charge(hours, f"hours of {instance_type}", name, table)
    return found if found.usd is None else Charge(found.quantity, found.unit, found.usd + volume, found.priced)


def _glue_charge(usage: JobUsage, table: Prices) -> Charge:
    if usage["dpu_seconds"] is None and not usage["is_flexible"]:
        return glue_charge(usage["seconds"], usage["size"], usage["count"], table)
    name = "glue_flex_dpu_hour" if usage["is_flexible"] else "glue_dpu_hour"
    seconds = usage["dpu_seconds"]
    if seconds is None:
        seconds = usage["seconds"] * usage["count"] * table.rules.worker_dpus.get(usage["size"], 0)
    return _charge(seconds / 3600, "DPU hours", name, table)


def _charge(quantity: float, unit: str, name: str, table: Prices) -> Charge:
    price = table.prices.get(name)
    if price is None:
        return Charge(quantity, unit, None, None)
    return Charge(quantity, unit, quantity * price.usd, price.noted)
