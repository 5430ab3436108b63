"""`make approve`: only a version that waits is approved, with who and why; then it is deployed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from infra.laptop import approval, registry, stages
from infra.laptop.config import LaptopError


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was changed, in order."""
    made: list[Any] = []
    monkeypatch.setattr(stages, "deploy", lambda connection, *given: made.append(("deploy", *given)))
    return made


def approve(monkeypatch: pytest.MonkeyPatch, changes: list[Any], status: str | None) -> None:
    package = {"ModelPackageArn": "arn:4", "ModelApprovalStatus": status}
    monkeypatch.setattr(registry, "version", lambda aws, workload, number: package if status else None)
    sagemaker = SimpleNamespace(update_model_package=lambda **given: changes.append(given))
    connection: Any = SimpleNamespace(aws=SimpleNamespace(sagemaker=sagemaker))
    approval.approve(connection, "flights", 4, "checked the slices by hand")


def test_who_approves_is_recorded_before_the_deploy(monkeypatch: pytest.MonkeyPatch, changes: list[Any]) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    approve(monkeypatch, changes, "PendingManualApproval")
    update, deploy = changes
    assert (update["ModelPackageArn"], update["ModelApprovalStatus"]) == ("arn:4", "Approved")
    assert update["ApprovalDescription"] == "Approved by ada: checked the slices by hand"
    assert deploy == ("deploy", "flights", "4")


@pytest.mark.parametrize(("status", "text"), [(None, "no version 4"), ("Rejected", "is Rej"), ("Approved", "is App")])
def test_any_other_version_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, changes: list[Any], status: str | None, text: str
) -> None:
    with pytest.raises(LaptopError, match=text):
        approve(monkeypatch, changes, status)
    assert changes == []
