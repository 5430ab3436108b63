"""Whether a version is deployed without a person. If it waits for one, people are told, once, and how to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from include.lake import state_keys
from include.pipelines.promotion.packages import APPROVED, PENDING
from include.pipelines.retrain.registered import RegisteredPackage


class Messages(Protocol):
    """Messages to people (``nightjar.messages.Messages``)."""

    def send_once(self, key: tuple[str, str], subject: str, text: str, pages: Mapping[str, str]) -> bool:
        """Publishes a message with links unless that of this key was published before; returns whether it was."""


def deploy_or_ask(
    workload: str, package: RegisteredPackage, messages: Messages, request_deploy: Callable[[], object]
) -> str:
    """Requests the deploy of a version that needs no person; people are told of one that waits for their approval.

    Args:
        workload: Name of the workload.
        package: The version.
        messages: Messages to people.
        request_deploy: Requests the deploy.

    Returns:
        What comes next, as a sentence.
    """
    version = package["version"]
    if package["deployable"]:
        request_deploy()
        return f"The deploy of version {version} is requested."
    _ask_for_approval(workload, package, messages)
    backfilled = " and was registered by a backfill" if package["status"] == APPROVED else ""
    return f"Version {version} is {package['status']}{backfilled}: nothing to deploy."


def _ask_for_approval(workload: str, package: RegisteredPackage, messages: Messages) -> None:
    """Of a backfilled version nobody is told: it is not deployed."""
    if package["status"] != PENDING or package["backfilled"]:
        return
    version = package["version"]
    messages.send_once(
        state_keys.approval_message_key(workload, version),
        f"Nightjar: version {version} of {workload} waits for approval",
        "\n\n".join([f"{workload}: {package['note']}", package["reasons"], *_how_to_answer(workload, package)]),
        package["pages"],
    )


def _how_to_answer(workload: str, package: RegisteredPackage) -> list[str]:
    version = package["version"]
    command = f"aws sagemaker update-model-package --model-package-arn {package['arn']} --model-approval-status"
    approve = (
        f"To approve it, on a laptop, which deploys it too:\nmake approve WORKLOAD={workload} VERSION={version} "
        f'REASON="…"\nOn AWS:\n{command} Approved --approval-description "…"\n'
        f'then trigger {workload}_deploy with {{"version": {version}}}.'
    )
    return [
        approve,
        f'To reject it:\n{command} Rejected --approval-description "…"',
        "Until then the live version stays, and this message is not sent again.",
    ]
