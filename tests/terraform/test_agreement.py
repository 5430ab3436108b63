"""Terraform and the laptop's bootstrap make the same: every resource that both make is read from two local clouds.

A difference is an error unless ``differences.yaml`` lists it with its reason; so is a listed one that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from infra.laptop import bootstrap
from infra.laptop.postgres import Postgres
from tests.support.agreement import Difference, Expected, differences
from tests.support.applied_root import Delivery, laptop_clients
from tests.support.localcloud import base_config, running_cloud
from tests.support.shared_resources import read

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

EXPECTED = [Expected(**entry) for entry in yaml.safe_load((Path(__file__).parent / "differences.yaml").read_text())]
SERVER = Postgres(5432, "not used: only the secret's text is made of it")


@pytest.fixture(scope="module")
def found(delivery: Delivery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Difference]]:
    """All differences of the two clouds."""
    folder = tmp_path_factory.mktemp("agreement")
    with running_cloud(folder, base_config()) as cloud:
        config, aws = laptop_clients(cloud, folder / "laptop")
        assert bootstrap.create_resources(config, aws, SERVER).left_out == {}
        yield list(differences(delivery.resources, read(aws)))


def test_every_difference_has_a_reason(found: list[Difference]) -> None:
    unexplained = [str(one) for one in found if not any(entry.covers(one) for entry in EXPECTED)]
    assert not unexplained, "\n".join(unexplained)


def test_every_listed_difference_exists(found: list[Difference]) -> None:
    stale = [entry for entry in EXPECTED if not any(entry.covers(one) for one in found)]
    assert not stale, stale
