"""What a night's jobs cost, estimated from their running times. Prices: AWS on-demand, us-east-1, USD, November 2026; no free
tier.
"""

from __future__ import annotations

from collections.abc import Iterable

# https://aws.amazon.com/sagemaker/pricing/ (training and processing cost the same), USD an hour
INSTANCE_HOUR = {
    "ml.t3.medium": 0.05,
    "ml.t3.large": 0.10,
    "ml.t3.xlarge": 0.20,
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
}
# https://aws.amazon.com/athena/pricing/: USD a terabyte scanned, at least 10 MB a query
ATHENA_TERABYTE = 5.0
ATHENA_MINIMUM_BYTES = 10_000_000


def cost_usd(jobs: Iterable[tuple[str, float]], scanned_bytes: Iterable[int]) -> str:
    """Dollars with four decimals, or ``unknown`` when an instance type has no price here.

    :param jobs: ``(instance type, seconds)`` of each SageMaker job.
    :param scanned_bytes: bytes scanned by each Athena query.
    """
    total = sum(max(scanned, ATHENA_MINIMUM_BYTES) / 1e12 * ATHENA_TERABYTE for scanned in scanned_bytes)
    for instance_type, seconds in jobs:
        if instance_type not in INSTANCE_HOUR:
            return "unknown"
        total += INSTANCE_HOUR[instance_type] * seconds / 3600
    return f"{total:.4f}"
