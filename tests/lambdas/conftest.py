"""The local cloud in which the functions run with their own roles. What they do is recorded for ``make iam``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from infra.laptop.bootstrap.definitions import definition, policy
from infra.laptop.iam.grants import policies_digest
from infra.laptop.iam.record import Provoked
from tests.support.iam_records import SuiteRecorder, keep
from tests.support.localcloud import Cloud, base_config, running_cloud
from tests.support.policed_roles import UseRole, assume, make_role

recorder = SuiteRecorder("lambdas", Path(__file__).parent)
pytest_deselected = recorder.deselect
pytest_runtest_logreport = recorder.add
pytest_sessionfinish = recorder.finish


@pytest.fixture(scope="session")
def provoked() -> list[Provoked]:
    """The denials that the tests of the roles' limits cause."""
    return []


@pytest.fixture(scope="session")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, provoked: list[Provoked]
) -> Iterator[Cloud]:
    """A local cloud with an empty state table."""
    policies = policies_digest()
    with running_cloud(tmp_path_factory.mktemp("cloud"), base_config()) as running:
        table = {field: value for field, value in definition("state_table").items() if field[0].isupper()}
        running.client("dynamodb").create_table(**table)
        yield running
        keep(request.config, "lambdas", running.state, policies, provoked)


@pytest.fixture
def use_role(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> UseRole:
    """Puts the credentials of a function's role into the environment; returns its keys."""

    def use(kind: str) -> dict[str, str]:
        role = f"nightjar-{kind}"
        names = {found["RoleName"] for found in cloud.client("iam").list_roles()["Roles"]}
        arn = f"arn:aws:iam::123456789012:role/{role}"
        if role not in names:
            arn = make_role(cloud, role, *policy(kind, "permissions")["Statement"])
        keys = assume(cloud, arn)
        for name, value in {**cloud.environment(), **{key.upper(): value for key, value in keys.items()}}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials of another test
        return keys

    return use
