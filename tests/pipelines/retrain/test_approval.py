"""A version that waits for a person's approval is announced to people, once; any other is not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from include.pipelines.retrain import RegisteredPackage, deploy_or_ask

PACKAGE: RegisteredPackage = {
    "version": 4,
    "arn": "arn:aws:sagemaker:us-east-1:1:model-package/nightjar-flights/4",
    "status": "Approved",
    "backfilled": False,
    "reasons": "It is better. No slice is worse.",
    "deployable": True,
    "note": "Version 4 is promoted. It waits for a person's approval.",
    "pages": {"Evaluation": "s3://artifact/evaluation.html"},
}


class Sent:
    """The messages that were sent: their keys, subjects, texts and pages."""

    def __init__(self) -> None:
        self.messages: list[tuple[tuple[str, str], str, str, Mapping[str, str]]] = []

    def send_once(self, key: tuple[str, str], subject: str, text: str, pages: Mapping[str, str]) -> bool:
        self.messages.append((key, subject, text, pages))
        return True


def refused(status: str, *, backfilled: bool = False) -> tuple[str, Sent]:
    """Why the version is not deployed, and what people are told."""
    package: RegisteredPackage = {**PACKAGE, "status": status, "backfilled": backfilled, "deployable": False}
    sent, requests = Sent(), []
    reason = deploy_or_ask("flights", package, sent, lambda: requests.append("deploy"))
    assert requests == []
    return reason, sent


def test_a_deployable_version_is_deployed_and_nobody_is_asked() -> None:
    sent, requests = Sent(), []
    said = deploy_or_ask("flights", PACKAGE, sent, lambda: requests.append("deploy"))
    assert (said, requests, sent.messages) == ("The deploy of version 4 is requested.", ["deploy"], [])


@pytest.mark.parametrize(
    ("status", "backfilled", "text"),
    [
        ("Rejected", False, "Version 4 is Rejected: nothing"),
        ("Approved", True, "Version 4 is Approved and was registered by a backfill"),
        ("PendingManualApproval", True, "Version 4 is PendingManualApproval"),
    ],
)
def test_of_one_that_is_not_deployed_anyway_nobody_is_told(status: str, backfilled: bool, text: str) -> None:
    reason, sent = refused(status, backfilled=backfilled)
    assert text in reason
    assert sent.messages == []


def test_people_are_told_what_waits_why_where_to_look_and_how_to_answer() -> None:
    reason, sent = refused("PendingManualApproval")
    assert "PendingManualApproval: nothing to deploy" in reason
    ((key, subject, text, pages),) = sent.messages
    assert key == ("reported#flights", "approval#4")
    assert subject == "Nightjar: version 4 of flights waits for approval"
    for part in (
        PACKAGE["note"],
        PACKAGE["reasons"],
        'make approve WORKLOAD=flights VERSION=4 REASON="…"',
        f"--model-package-arn {PACKAGE['arn']} --model-approval-status Approved",
        f"--model-package-arn {PACKAGE['arn']} --model-approval-status Rejected",
        'trigger flights_deploy with {"version": 4}',
    ):
        assert part in text
    assert pages == PACKAGE["pages"]
