"""Which release MWAA runs, and how an update of it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.delivery import mwaa
from infra.delivery.command import DeliveryError
from tests.support.mwaa_gateway import ENVIRONMENT, MwaaGateway

OLD, NEW = "0" * 12, "1" * 12


@pytest.fixture
def gateway() -> MwaaGateway:
    return MwaaGateway(None)


@pytest.fixture
def client(gateway: MwaaGateway) -> Iterator[Any]:
    with gateway.client() as made:
        yield made


def set_to(gateway: MwaaGateway, status: str, code_sha: str, update: dict[str, Any] | None = None) -> None:
    gateway.environment |= {"Status": status, "DagS3Path": f"releases/{code_sha}/dags", "LastUpdate": update or {}}


def wait(client: Any, timeout: float = 60) -> None:
    mwaa.wait(client, ENVIRONMENT, NEW, timeout=timeout, poll_seconds=0.01)


def test_it_returns_once_the_release_is_available(gateway: MwaaGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter([("UPDATING", OLD), ("CREATING_SNAPSHOT", OLD), ("UPDATING", NEW), ("AVAILABLE", NEW)])
    set_to(gateway, "AVAILABLE", OLD)
    monkeypatch.setattr(mwaa.time, "sleep", lambda _: set_to(gateway, *next(states)))
    with gateway.client() as client:
        wait(client)
    assert next(states, None) is None


@pytest.mark.parametrize("status", ["UPDATE_FAILED", "UNAVAILABLE", "CREATE_FAILED"])
def test_a_failed_update_is_named_with_its_reason(gateway: MwaaGateway, client: Any, status: str) -> None:
    error = {"ErrorCode": "INCORRECT_CONFIGURATION", "ErrorMessage": "requirements.txt cannot be installed"}
    set_to(gateway, status, NEW, {"Status": "FAILED", "Error": error})
    with pytest.raises(DeliveryError, match=rf"nightjar is {status} .*requirements.txt cannot be installed"):
        wait(client)


def test_an_update_that_mwaa_rolled_back_is_a_failure(gateway: MwaaGateway, client: Any) -> None:
    set_to(gateway, "AVAILABLE", OLD, {"Status": "FAILED"})
    with pytest.raises(DeliveryError, match=f"with release {OLD}, not with {NEW}: MWAA gives no reason"):
        wait(client)


def test_a_missing_environment_is_named(gateway: MwaaGateway, client: Any) -> None:
    gateway.environment = {}
    with pytest.raises(DeliveryError, match="There is no MWAA environment nightjar"):
        wait(client)


def test_an_update_that_never_ends_is_a_failure(gateway: MwaaGateway, client: Any) -> None:
    set_to(gateway, "UPDATING", OLD)
    with pytest.raises(DeliveryError, match="Was Terraform applied"):
        wait(client, timeout=0)


@pytest.mark.parametrize(
    ("path", "code_sha"),
    [("releases/abc/dags", "abc"), ("releases/abc/dags/", "abc"), ("dags", ""), ("releases/abc/plugins", "")],
)
def test_the_running_release_is_that_of_the_dags(path: str, code_sha: str) -> None:
    assert mwaa.running({"DagS3Path": path}) == code_sha
