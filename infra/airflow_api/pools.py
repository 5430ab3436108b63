"""The pools that the DAGs name."""

from __future__ import annotations

from infra.airflow_api.client import AirflowApi

POOLS = {"nightjar_publish": (1, "One publish at a time")}


def create_pools(api: AirflowApi) -> None:
    """Creates the pools, or updates their slots."""
    for pool, (slots, description) in POOLS.items():
        api.put_pool(pool, slots, description)
