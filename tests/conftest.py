"""Settings of Hypothesis for every test, and the marker of tests that use a server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# No deadline, because no test asserts on durations; derandomized, so that a failed test fails again.
settings.register_profile("nightjar", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nightjar")

# Fixtures of tests/support that start a moto server or the local cloud, which need packages beyond the tested runtime's.
SERVERS = {"moto_server", "server", "cloud"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that use a server, directly or through other fixtures, as ``stack``."""
    for item in items:
        if isinstance(item, pytest.Function) and not SERVERS.isdisjoint(item.fixturenames):
            item.add_marker("stack")
