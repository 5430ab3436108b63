"""The deploy DAG's module, and the DAG of a workload without a shadow or a canary."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from include.workloads import load as load_workload
from tests.support.dag_files import load, platform_settings


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """``dags/deploy.py``."""
    return load("deploy")


@pytest.fixture(scope="module")
def plain(module: ModuleType) -> Any:
    """A DAG without a comparison."""
    with platform_settings():
        return module.deploy(load_workload("flights"))
