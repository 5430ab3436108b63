"""The pools that the DAGs name."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import yaml

from infra.airflow_api.client import AirflowApi

FILE = Path(__file__).parents[1] / "definitions" / "pools.yaml"


class Pool(TypedDict):
    """A pool, as the file defines it."""

    slots: int
    include_deferred: bool
    description: str


def pools() -> dict[str, Pool]:
    """Returns the pools by name."""
    defined: dict[str, Pool] = yaml.safe_load(FILE.read_text())
    return defined


def create_pools(api: AirflowApi) -> None:
    """Creates the pools, or updates them."""
    for name, pool in pools().items():
        api.put_pool(name, **pool)
