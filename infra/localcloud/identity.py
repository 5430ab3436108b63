"""Temporary credentials of a role for every process, and the secret of an access key."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from infra.localcloud.authorization import on_behalf, operator_key, trust
from infra.localcloud.authorization.principals import Principals
from infra.localcloud.config import Config
from infra.localcloud.errors import AssumeRoleError
from infra.localcloud.request_file import NAME, RequestFile

# AWS renews the credentials of a running job; those in environment variables must last as long as the process.
SESSION_SECONDS = 365 * 24 * 3600
# An expired key is told so for this long; after it, it is unknown.
_KEPT = timedelta(hours=1)


class RoleIdentity:
    """Issues temporary credentials of roles for what the server runs.

    The state is that of moto's IAM and STS, so these credentials are checked like those of any other caller.

    Args:
        config: The server's configuration.
        requests: The request log; None for the one in the state folder.

    Attributes:
        principals: Finds access keys and policies.
    """

    def __init__(self, config: Config, requests: RequestFile | None = None) -> None:
        self._config = config
        self._requests = requests or RequestFile(config.state / NAME)
        self._lock = threading.Lock()
        self.principals = Principals(config.account, operator_key.load_or_create(config.state))

    def mint(
        self, role_arn: str, session: str = "nightjar", *, service: str | None = None, source_arn: str | None = None
    ) -> dict[str, str]:
        """Issues new temporary credentials of the role.

        Args:
            role_arn: The role.
            session: The name of the session.
            service: The service that assumes the role, such as ``glue.amazonaws.com``; None if the caller has checked
                its trust before.
            source_arn: The resource for which the service acts (aws:SourceArn).

        Returns:
            The environment variables with which a process uses them at this endpoint.

        Raises:
            AssumeRoleError: There is no such role, or its trust policy does not allow the service.
        """
        role_arn = self.check_trust(role_arn, service, source_arn)
        backend = sts_backends[self._config.account]["aws"]
        with self._lock:
            _forget_expired(backend.assumed_roles, iam_backends[self._config.account]["aws"].access_keys)
            role = backend.assume_role(
                region_name=self._config.region,
                role_session_name=session,
                role_arn=role_arn,
                policy="",
                duration=SESSION_SECONDS,
                external_id="",
            )
        return self.environment(role.access_key_id, role.secret_access_key, role.session_token)

    def check_trust(self, role_arn: str, service: str | None, source_arn: str | None = None) -> str:
        """Checks that a role exists, and that its trust policy allows a service to assume it.

        Args:
            role_arn: The role's ARN, or its name where AWS takes a name too.
            service: Such as ``glue.amazonaws.com``; None if the trust policy was asked before.
            source_arn: The resource for which the service acts (aws:SourceArn).

        Returns:
            The role's ARN.

        Raises:
            AssumeRoleError: It does not.
        """
        if not role_arn.startswith("arn:"):
            role_arn = f"arn:aws:iam::{self._config.account}:role/{role_arn}"
        role = self.principals.role(role_arn)
        if role is None:
            raise AssumeRoleError(f"Role {role_arn} cannot be assumed: it does not exist")
        if service and not trust.allows_service(role, service, self._config.account, source_arn):
            raise AssumeRoleError(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal"
                f" '{service}' to assume the role."
            )
        return role_arn

    def require(self, role_arn: str, session: str, *asked: tuple[str, str], via: str = "") -> None:
        """Checks what a service does for a role without a request of its own, and records it.

        Args:
            role_arn: The role.
            session: The name of the session that the service has on AWS.
            *asked: IAM actions, each with the ARN of its resource or ``*``.
            via: The service through which a KMS key is used (kms:ViaService).

        Raises:
            AccessDeniedError: The role's policies do not allow one of them.
        """
        for action, resource in asked:
            on_behalf.require(
                self.principals, self._requests, self._config.region, role_arn, session, action, resource, via
            )

    def environment(self, access_key_id: str, secret: str, token: str | None) -> dict[str, str]:
        """The environment variables with which a process uses credentials at this endpoint."""
        return {
            "AWS_ACCESS_KEY_ID": access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            **({"AWS_SESSION_TOKEN": token} if token else {}),
            "AWS_ENDPOINT_URL": self._config.endpoint,
            "AWS_REGION": self._config.region,
            "AWS_DEFAULT_REGION": self._config.region,
        }

    def credentials_of(self, access_key_id: str) -> dict[str, str]:
        """The credentials of a caller, with which a service acts for them, as :meth:`environment` has them.

        Raises:
            AssumeRoleError: Nobody has this key any more.
        """
        key = self.principals.key(access_key_id)
        if key is None:
            raise AssumeRoleError(f"The access key {access_key_id} does not exist any more")
        return self.environment(key.access_key_id, key.secret, key.token)


def _forget_expired(sessions: list[Any], keys: dict[str, Any]) -> None:
    """Removes the sessions at the head of the list that ended long ago."""
    limit = datetime.now(UTC) - _KEPT
    while sessions:
        expires = sessions[0].expiration
        if (expires if expires.tzinfo else expires.replace(tzinfo=UTC)) > limit:
            return
        keys.pop(sessions.pop(0).access_key_id, None)
