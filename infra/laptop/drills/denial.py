"""A role that lacks a permission, by a policy of its own beside that of the role."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx

from infra.laptop.bootstrap.roles import Role
from infra.laptop.drills.requests import Flood

POLICY = "nightjar-drill"
_RECOVERY_REQUESTS = 20


class Denied(Flood):
    """Requests to a service while a role may not do something.

    Attributes:
        kind: The role, as in ``infra/definitions/roles.yaml``.
        action: What it may not do.
    """

    kind: ClassVar[str]
    action: ClassVar[str]

    @property
    def role(self) -> str:
        """The role's name."""
        return Role(self.kind, self.target.workload.name).name

    def prepare(self) -> None:
        """Takes away what a killed drill has left."""
        self._allow()

    def begin(self) -> None:
        """Denies, then sends: no request may succeed."""
        statement = {"Effect": "Deny", "Action": [self.action], "Resource": ["*"]}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.target.aws.iam.put_role_policy(RoleName=self.role, PolicyName=POLICY, PolicyDocument=document)
        super().begin()

    def end(self) -> None:
        """Sends nothing more, then allows."""
        super().end()
        self._allow()

    def _allow(self) -> None:
        iam = self.target.aws.iam
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_role_policy(RoleName=self.role, PolicyName=POLICY)


class FailingFeedback(Denied):
    """Outcomes that the service cannot store: it answers 503."""

    kind, action = "ecs-task", "kinesis:PutRecords"
    path = "/feedback"

    def body(self) -> Any:
        """A valid outcome, which is never stored."""
        present = datetime.now(UTC).isoformat(timespec="seconds")
        return {"request_id": "drill", "time": present, "outcome": self.target.outcome}


class UndeliveredPredictions(Denied):
    """Predictions that Firehose may not write to the lake."""

    kind, action = "firehose", "s3:PutObject"

    def end(self) -> None:
        """Allows, and sends predictions: the first that is delivered ends the wait of all."""
        super().end()
        with suppress(httpx.HTTPError), httpx.Client(base_url=self.target.url, timeout=10) as client:
            for _ in range(_RECOVERY_REQUESTS):
                client.post(self.path, json=self.target.record)
                time.sleep(0.1)
