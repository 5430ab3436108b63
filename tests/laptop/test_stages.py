"""What `make run` continues from: which days are finished, and whether the live version answers."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest
from rich.console import Console

from infra.laptop import registry, stages
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.progress import Reporter
from infra.laptop.stages import Connection

DAY = date(2013, 6, 19)
NEWER, OLDER = "2013-06-21T00:00:00Z", "2013-06-18T00:00:00Z"


class Registry:
    """A registry with one version of the day, and a live pointer."""

    def __init__(self) -> None:
        self.status: str | None = "Approved"
        self.live_version: str | None = "2"
        self.versions_by_number = {2: "2013-06-20T00:00:00Z"}

    def package(self, version: int) -> dict[str, Any]:
        metadata = {"data_cutoff": self.versions_by_number[version], "day": DAY.isoformat()}
        return {
            "ModelPackageVersion": version,
            "ModelApprovalStatus": self.status,
            "CustomerMetadataProperties": metadata,
        }


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Registry:
    made = Registry()
    monkeypatch.setattr(registry, "version_of_day", lambda aws, name, day: made.package(2) if made.status else None)
    monkeypatch.setattr(registry, "version", lambda aws, name, n: n in made.versions_by_number and made.package(n))
    monkeypatch.setattr(registry, "live", lambda aws, table, name: {"version": made.live_version})
    return made


@pytest.fixture
def connection() -> Connection:
    nobody: Any = None
    return Connection(LaptopConfig.from_env(), nobody, nobody, Reporter(Console(quiet=True)))


def test_a_day_is_finished_when_its_version_is_live(found: Registry, connection: Connection) -> None:
    assert stages.finished(connection, "flights", DAY) == "version 2 is live"


def test_a_day_is_finished_when_a_version_with_newer_data_is_live(found: Registry, connection: Connection) -> None:
    found.live_version, found.versions_by_number[3] = "3", NEWER
    assert stages.finished(connection, "flights", DAY) == "version 3 stays live: its data is as new or newer"


def test_a_day_is_finished_when_its_version_was_rejected(found: Registry, connection: Connection) -> None:
    found.status, found.live_version = "Rejected", None
    assert "Rejected" in str(stages.finished(connection, "flights", DAY))


@pytest.mark.parametrize(
    ("status", "live"), [(None, "1"), ("PendingManualApproval", "2"), ("Approved", None), ("Approved", "1")]
)
def test_other_days_have_something_left_to_do(
    found: Registry, connection: Connection, status: str | None, live: str | None
) -> None:
    found.status, found.live_version, found.versions_by_number[1] = status, live, OLDER
    assert stages.finished(connection, "flights", DAY) is None


def test_a_live_version_is_waited_for_until_it_answers(
    found: Registry, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[httpx.Response | Exception] = [
        httpx.ConnectError("refused"),
        httpx.Response(503, text="loading"),
        httpx.Response(200),
    ]

    def get(url: str, timeout: float) -> httpx.Response:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(httpx, "get", get)
    said = stages.wait_until_live(connection, "flights", "http://127.0.0.1:8000")
    assert said == "version 2 of flights is live and answers at http://127.0.0.1:8000" and not answers


def test_a_live_version_that_does_not_answer_is_an_error_with_its_reason(
    found: Registry, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "LIVE_SECONDS", 0.3)
    monkeypatch.setattr(httpx, "get", lambda url, timeout: httpx.Response(503, text="the bundle is gone"))
    with pytest.raises(LaptopError, match="503 the bundle is gone"):
        stages.wait_until_live(connection, "flights", "http://127.0.0.1:8000")


def test_without_a_live_version_nothing_is_waited_for(found: Registry, connection: Connection) -> None:
    found.live_version = None
    assert stages.wait_until_live(connection, "flights", "http://127.0.0.1:1") is None
