"""Terraform and the laptop's bootstrap make the same: every resource that both make is read from two local clouds.

A difference is an error unless ``differences.yaml`` lists it with its reason; so is a listed one that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from infra.laptop import bootstrap
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig
from infra.laptop.postgres import Postgres
from tests.support.agreement import Difference, Expected, differences
from tests.support.applied_root import Root
from tests.support.localcloud import Cloud, base_config, running_cloud
from tests.support.ports import free_port
from tests.support.shared_resources import read

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

EXPECTED = [Expected(**entry) for entry in yaml.safe_load((Path(__file__).parent / "differences.yaml").read_text())]
SERVER = Postgres(5432, "not used: only the secret's text is made of it")


def clients(cloud: Cloud, run: Path) -> tuple[LaptopConfig, Aws]:
    """The laptop's configuration and clients for a local cloud."""
    run.mkdir()
    (run / "cloud").symlink_to(cloud.state)
    port = urlsplit(cloud.endpoint).port
    config = LaptopConfig.from_env(cloud_port=port, service_port=free_port(), run=run)
    return config, Aws(config)


@pytest.fixture(scope="module")
def found(applied_root: Root, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Difference]]:
    """All differences of the two clouds."""
    folder = tmp_path_factory.mktemp("agreement")
    _, terraform = clients(applied_root.cloud, folder / "terraform")
    with running_cloud(folder, base_config()) as cloud:
        config, laptop = clients(cloud, folder / "laptop")
        assert bootstrap.create_resources(config, laptop, SERVER).left_out == {}
        yield list(differences(read(terraform), read(laptop)))


def test_every_difference_has_a_reason(found: list[Difference]) -> None:
    unexplained = [str(one) for one in found if not any(entry.covers(one) for entry in EXPECTED)]
    assert not unexplained, "\n".join(unexplained)


def test_every_listed_difference_exists(found: list[Difference]) -> None:
    stale = [entry for entry in EXPECTED if not any(entry.covers(one) for one in found)]
    assert not stale, stale
