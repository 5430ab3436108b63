"""Model packages as the registry would list them."""

from __future__ import annotations

from include.pipelines.promotion.packages import METADATA, Package


def package(version: int, cutoff: str, status: str = "Approved", backfilled: bool = False) -> Package:
    """One package with every metadata key set."""
    values = dict.fromkeys(METADATA, "x") | {"data_cutoff": cutoff, "backfilled": str(backfilled).lower()}
    return Package(version, f"arn:{version}", status, "golden rows differ", values)


PACKAGES = [
    package(5, "2013-03-04T00:00:00Z", "Rejected"),
    package(4, "2013-03-01T00:00:00Z", backfilled=True),
    package(3, "2013-03-03T00:00:00Z"),
    package(2, "2013-03-02T00:00:00Z"),
    package(1, "2013-03-01T00:00:00Z"),
]
