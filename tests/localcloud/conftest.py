"""Fixtures of a running local cloud.

``cloud`` is one server for the whole session. A test module that needs images or other settings uses ``start_cloud``
in a fixture of its own: ``start_cloud(images={"img:1": {"python": …, "cwd": …}})``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.glue_runs import glue_job, glue_scripts
from tests.support.localcloud import Cloud, base_config, running_cloud
from tests.support.policed_roles import as_role, guarded_s3
from tests.support.system_runs import job_role, system_images, system_run

__all__ = [
    "as_role", "aws_environment", "cloud", "glue_job", "glue_scripts", "guarded_s3", "job_role", "start_cloud",
    "system_run",
]  # fmt: skip


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One server for all tests, with the images of the system tests."""
    images = system_images(tmp_path_factory.mktemp("images"))
    with running_cloud(tmp_path_factory.mktemp("cloud"), {**base_config(), "images": images}) as running:
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
