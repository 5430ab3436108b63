"""Who a request's access key belongs to, and the policies that come with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from infra.localcloud.authorization.operator_key import OperatorKey

Kind = Literal["operator", "user", "session", "anonymous", "service"]


@dataclass(frozen=True)
class Principal:
    """The caller of a request.

    Attributes:
        kind: The operator, an IAM user, a session of a role, anonymous, or a service of AWS (in trust policies).
        arn: The ARN in aws:PrincipalArn's sense for messages: of a session, its assumed-role ARN.
        account: The account; empty for anonymous.
        identity_arn: The ARN of the user or role itself; empty for anonymous.
        user_name: Of a user.
        session_policy: The policy given to AssumeRole, or an empty text.
    """

    kind: Kind
    arn: str
    account: str = ""
    identity_arn: str = ""
    user_name: str = ""
    session_policy: str = ""


ANONYMOUS = Principal("anonymous", "anonymous")


@dataclass(frozen=True)
class AccessKey:
    """An access key with what a signature check needs.

    Attributes:
        expires: The end of temporary credentials; None for long-term ones.
    """

    access_key_id: str
    secret: str
    principal: Principal
    token: str | None = None
    expires: datetime | None = None
    active: bool = True


@dataclass
class IdentityPolicies:
    """The policy documents of a principal, each with its name.

    Attributes:
        identity: Inline and managed ones, including those of a user's groups.
        boundary: The permissions boundary, if there is one.
        session: The session policy, if there is one.
        tags: The principal's tags.
        exists: Whether the user or role still exists.
    """

    identity: list[tuple[str, str]] = field(default_factory=list)
    boundary: tuple[str, str] | None = None
    session: tuple[str, str] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    exists: bool = True


class Principals:
    """Finds access keys and policies in the state of IAM and STS.

    Args:
        account: The account of the server.
        operator: The operator's key.
    """

    def __init__(self, account: str, operator: OperatorKey) -> None:
        self._account = account
        principal = Principal("operator", f"arn:aws:iam::{account}:root", account, f"arn:aws:iam::{account}:root")
        self._operator = AccessKey(operator.access_key_id, operator.secret_access_key, principal)
        self._sessions: dict[str, Any] = {}

    @property
    def _iam(self) -> Any:
        return iam_backends[self._account]["aws"]

    def key(self, access_key_id: str) -> AccessKey | None:
        """Finds an access key; None if nobody has it."""
        if access_key_id == self._operator.access_key_id:
            return self._operator
        found = self._iam.access_keys.get(access_key_id)
        if found is None:
            return None
        if found.user_name is None:
            return self._session_key(access_key_id)
        user = self._iam.users.get(found.user_name)
        if user is None:
            return None
        principal = Principal("user", user.arn, self._account, user.arn, user.name)
        return AccessKey(access_key_id, found.secret_access_key, principal, active=found.status == "Active")

    def _session_key(self, access_key_id: str) -> AccessKey | None:
        session = self._session(access_key_id)
        if session is None:
            return None
        principal = Principal(
            "session", session.arn, self._account, session.role_arn, session_policy=str(session.policy or "")
        )
        expires = session.expiration
        if expires.tzinfo is None:
            expires = expires.replace(tzinfo=UTC)
        return AccessKey(access_key_id, session.secret_access_key, principal, session.session_token, expires)

    def _session(self, access_key_id: str) -> Any:
        """A session of STS. Its list is indexed: each job and each poll of the platform has a session of its own."""
        sessions = sts_backends[self._account]["aws"].assumed_roles
        if access_key_id not in self._sessions:
            self._sessions = {session.access_key_id: session for session in list(sessions)}
        return self._sessions.get(access_key_id)

    def policies(self, principal: Principal) -> IdentityPolicies:
        """Collects the policies of a user or of a role's session."""
        if principal.kind == "user":
            return self._of_user(principal)
        if principal.kind == "session":
            return self._of_session(principal)
        return IdentityPolicies(exists=principal.kind == "operator")

    def _of_user(self, principal: Principal) -> IdentityPolicies:
        user = self._iam.users.get(principal.user_name)
        if user is None:
            return IdentityPolicies(exists=False)
        documents = list(_documents(user))
        for group in list(self._iam.groups.values()):
            if user in group.users:
                documents += _documents(group)
        tags = {tag["Key"]: tag["Value"] for tag in self._iam.list_user_tags(user.name)}
        return IdentityPolicies(documents, self._boundary(user), tags=tags)

    def _of_session(self, principal: Principal) -> IdentityPolicies:
        role = self.role(principal.identity_arn)
        if role is None:
            return IdentityPolicies(exists=False)
        session = ("session policy", principal.session_policy) if principal.session_policy else None
        tags = role.tags or []
        return IdentityPolicies(
            list(_documents(role)), self._boundary(role), session, {tag["Key"]: tag["Value"] for tag in tags}
        )

    def role(self, arn: str) -> Any:
        """The role with this ARN; None if there is none."""
        name = arn.rsplit("/", 1)[-1]
        for role in list(self._iam.roles.values()):
            if role.name == name and role.arn == arn:
                return role
        return None

    def _boundary(self, entity: Any) -> tuple[str, str] | None:
        arn = getattr(entity, "permissions_boundary_arn", None)
        policy = self._iam.managed_policies.get(arn) if arn else None
        if arn and policy is None:
            return (arn, "")  # a boundary that was deleted allows nothing
        return (policy.name, _default_document(policy)) if policy else None


def _documents(entity: Any) -> Iterable[tuple[str, str]]:
    """The inline and managed documents of a role, user or group."""
    yield from list(entity.policies.items())
    for policy in list(entity.managed_policies.values()):
        yield policy.name, _default_document(policy)


def _default_document(policy: Any) -> str:
    for version in policy.versions:
        if version.version_id == policy.default_version_id:
            return str(version.document)
    return ""
