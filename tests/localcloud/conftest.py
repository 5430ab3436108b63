"""Fixtures of a running local cloud.

``cloud`` is one server for the whole session. A test module that needs images (or another setting) uses ``start_cloud`` for
a server of its own, in a module-scoped fixture: ``start_cloud(images={"img:1": {"python": …, "cwd": …}})``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.localcloud import Cloud, base_config, running_cloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One server for all tests."""
    with running_cloud(tmp_path_factory.mktemp("cloud"), base_config()) as running:
        yield running


@pytest.fixture(scope="module")
def start_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Cloud]]:
    """``start_cloud(images={...}, **settings)``: a server of a test module's own, ended with the module."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Cloud:
            folder = tmp_path_factory.mktemp("own-cloud")
            return stack.enter_context(running_cloud(folder, {**base_config(), **settings}))

        yield start


@pytest.fixture
def aws_environment(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Points this process's default AWS clients (and so Airflow's hooks) at the server."""
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    return cloud
