"""The roles of ``infra/definitions/roles.yaml`` and the grants of their current policies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from infra.laptop.bootstrap.definitions import DEFINITIONS, POLICIES, definition, policy
from infra.laptop.bootstrap.roles import Role
from infra.localcloud.authorization.usage import Grant, grants_of

PLACEHOLDER = "<workload>"  # no workload has this name
# Terraform's module delivery attaches the documents of the second role to the first one, too.
_ATTACHED = {"github-apply": "github-plan"}


@dataclass(frozen=True)
class RoleKind:
    """A line of roles.yaml.

    Attributes:
        name: The folder in ``infra/policies``.
        per_workload: Whether each workload has such a role.
        on_aws: Whether only Terraform makes it.
    """

    name: str
    per_workload: bool
    on_aws: bool

    def role(self, workload: str = PLACEHOLDER) -> Role:
        """The role, or that of a workload."""
        return Role(self.name, workload if self.per_workload else None)

    def documents(self, workload: str = PLACEHOLDER) -> dict[str, dict[str, Any]]:
        """The permission documents by name, such as ``permissions`` and ``permissions-aws``."""
        names = sorted(file.stem for file in (POLICIES / self.name).glob("*.json") if file.stem != "trust")
        return {name: self._document(name, workload) for name in names}

    def grants(self, workload: str = PLACEHOLDER) -> list[Grant]:
        """The grants of the role's current policies, in the same order for each workload."""
        return grants_of(self.role(workload).name, self.documents(workload).items())

    @property
    def is_of_delivery(self) -> bool:
        """Whether a pipeline outside AWS assumes the role, so that a run of Terraform here can use it."""
        return "Federated" in self.trusted()

    def attached(self) -> list[Grant]:
        """The grants that the role has by documents of another role; they are measured there."""
        other = _ATTACHED.get(self.name)
        return RoleKind(other, per_workload=False, on_aws=True).grants() if other else []

    def trusted(self) -> dict[str, Any]:
        """Who may assume the role: the ``Principal`` of its trust policy."""
        found: dict[str, Any] = self.trust()["Principal"]
        return found

    def trust(self) -> dict[str, Any]:
        """The statement of the role's trust policy."""
        (statement,) = self._document("trust", PLACEHOLDER)["Statement"]
        found: dict[str, Any] = statement
        return found

    def _document(self, name: str, workload: str) -> dict[str, Any]:
        return policy(self.name, name, workload=workload)

    def workload_of(self, role_name: str) -> str | None:
        """The workload of a role of this kind; an empty text for the platform's role; None for another role."""
        if not self.per_workload:
            return "" if role_name == self.role().name else None
        before, after = self.role().name.split(PLACEHOLDER)
        found = role_name.removeprefix(before).removesuffix(after)
        return found if role_name == f"{before}{found}{after}" and found else None


def kinds() -> list[RoleKind]:
    """Every kind of role."""
    return [
        RoleKind(name, line["per"] == "workload", line.get("only") == "aws")
        for name, line in definition("roles").items()
    ]


def policies_digest() -> str:
    """A digest of the policy templates and of the list of roles."""
    files = sorted([*POLICIES.rglob("*.json"), DEFINITIONS / "roles.yaml"])
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(POLICIES.parent)}\0".encode() + file.read_bytes() + b"\0")
    return found.hexdigest()
