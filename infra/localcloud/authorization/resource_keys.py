"""Condition keys whose values are in the state of the resource, not in the request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.backends import get_backend

Found = Callable[[str], tuple[str, ...] | None]


def boundary_of_role(arn: str) -> tuple[str, ...] | None:
    """iam:PermissionsBoundary of a request that names a role and no boundary: the one that the role has."""
    account, name = arn.split(":")[4], arn.rsplit("/", 1)[-1]
    backends: Any = get_backend("iam")
    for role in list(backends[account]["aws"].roles.values()):
        if role.arn == arn and role.name == name:
            found = getattr(role, "permissions_boundary_arn", None)
            return (found,) if found else None
    return None


def aliases_of_key(arn: str) -> tuple[str, ...] | None:
    """kms:ResourceAliases: the aliases of a key. A key of AWS has none here but the one that names it."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or not parts[5].startswith("key/"):
        return None
    key = parts[5].removeprefix("key/")
    if key.startswith("alias/"):
        return (key,)
    backends: Any = get_backend("kms")
    found = backends[parts[4]][parts[3]].keys.get(key)
    return tuple(sorted(found.aliases)) or None if found else None


def of_state(found: Found, resource: str, _: str) -> tuple[str, ...] | None:
    """The values of a key for a resource; none where the request names no resource."""
    return found(resource) if resource.startswith("arn:") else None


# By service and key, in lower case.
KEYS: dict[str, dict[str, Found]] = {
    "iam": {"iam:permissionsboundary": boundary_of_role},
    "kms": {"kms:resourcealiases": aliases_of_key},
}
