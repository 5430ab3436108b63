"""Users and user groups of ElastiCache."""

from __future__ import annotations

from moto.elasticache.exceptions import UserNotFound
from moto.elasticache.models import User

from infra.localcloud.actions import AwsError, Members, found
from infra.localcloud.elasticache.models import CacheBackend, answered, page


@answered
def describe_users(backend: CacheBackend, request: Members) -> Members:
    """Answers DescribeUsers."""
    name = request.get("UserId")
    users = [_user(backend, name)] if name else list(backend.users.values())
    return page(request, "Users", [_described(backend, user) for user in users])


@answered
def modify_user(backend: CacheBackend, request: Members) -> Members:
    """Answers ModifyUser."""
    user = _user(backend, request["UserId"])
    if request.get("AccessString"):
        user.access_string = request["AccessString"]
    if request.get("AppendAccessString"):
        user.access_string = f"{user.access_string} {request['AppendAccessString']}"
    mode = request.get("AuthenticationMode") or {}
    passwords = request.get("Passwords") or mode.get("Passwords")
    if passwords:
        user.passwords, user.no_password_required, user.authentication_type = passwords, False, "password"
    if request.get("NoPasswordRequired") or mode.get("Type") == "no-password-required":
        user.passwords, user.no_password_required, user.authentication_type = [], True, "no-password-required"
    if mode.get("Type") == "iam":
        user.passwords, user.no_password_required, user.authentication_type = [], False, "iam"
    if request.get("Engine"):
        user.engine = request["Engine"]
    return _described(backend, user)


@answered
def delete_user(backend: CacheBackend, request: Members) -> Members:
    """Answers DeleteUser: it leaves its groups and is gone when this returns."""
    user = _user(backend, request["UserId"])
    answer = {**_described(backend, user), "Status": "deleting"}
    if user.id == "default":
        raise AwsError("DefaultUserAssociatedToUserGroup", "The default user cannot be deleted.")
    for group in backend.user_groups.values():
        group["UserIds"] = [one for one in group["UserIds"] if one != user.id]
    del backend.users[user.id]
    backend.forget(user.arn)
    return answer


def _user(backend: CacheBackend, name: str) -> User:
    if name not in backend.users:
        raise UserNotFound(name)
    user: User = backend.users[name]
    return user


def _described(backend: CacheBackend, user: User) -> Members:
    kind = "no-password" if user.no_password_required else str(user.authentication_type)
    return {
        "UserId": user.id,
        "UserName": user.name,
        "Status": "active",
        "Engine": user.engine,
        "MinimumEngineVersion": "7.2" if user.engine == "valkey" else "6.0",
        "AccessString": user.access_string,
        "UserGroupIds": [name for name, group in backend.user_groups.items() if user.id in group["UserIds"]],
        "Authentication": {
            "Type": "no-password" if kind == "no-password-required" else kind,
            "PasswordCount": len(user.passwords),
        },
        "ARN": user.arn,
    }


@answered
def create_user_group(backend: CacheBackend, request: Members) -> Members:
    """Answers CreateUserGroup."""
    name = request["UserGroupId"].lower()
    if name in backend.user_groups:
        raise AwsError("UserGroupAlreadyExists", f"User group {name} already exists.")
    members = list(request.get("UserIds") or [])
    for member in members:
        _user(backend, member)
    group = {
        "UserGroupId": name,
        "Engine": request["Engine"].lower(),
        "UserIds": members,
        "ARN": backend.arn("usergroup", name),
    }
    backend.user_groups[name] = group
    backend.tagging_service.tag_resource(str(group["ARN"]), request.get("Tags"))
    return _shown(backend, group)


@answered
def describe_user_groups(backend: CacheBackend, request: Members) -> Members:
    """Answers DescribeUserGroups."""
    name = request.get("UserGroupId")
    groups = [_user_group(backend, name)] if name else list(backend.user_groups.values())
    return page(request, "UserGroups", [_shown(backend, group) for group in groups])


@answered
def modify_user_group(backend: CacheBackend, request: Members) -> Members:
    """Answers ModifyUserGroup."""
    group = _user_group(backend, request["UserGroupId"])
    added, removed = request.get("UserIdsToAdd") or [], request.get("UserIdsToRemove") or []
    for member in [*added, *removed]:
        _user(backend, member)
    group["UserIds"] = [one for one in dict.fromkeys([*group["UserIds"], *added]) if one not in removed]
    if request.get("Engine"):
        group["Engine"] = request["Engine"].lower()
    return _shown(backend, group)


@answered
def delete_user_group(backend: CacheBackend, request: Members) -> Members:
    """Answers DeleteUserGroup."""
    group = _user_group(backend, request["UserGroupId"])
    answer = {**_shown(backend, group), "Status": "deleting"}
    if answer["ReplicationGroups"] or answer["ServerlessCaches"]:
        text = f"User group {group['UserGroupId']} is in use by a cache."
        raise AwsError("InvalidUserGroupState", text)
    del backend.user_groups[group["UserGroupId"]]
    backend.forget(group["ARN"])
    return answer


def _user_group(backend: CacheBackend, name: str) -> Members:
    return found(backend.user_groups, name.lower(), "UserGroupNotFound", f"User group {name} not found.")


def _shown(backend: CacheBackend, group: Members) -> Members:
    name = group["UserGroupId"]
    return {
        **group,
        "Status": "active",
        "MinimumEngineVersion": "7.2" if group["Engine"] == "valkey" else "6.0",
        "ReplicationGroups": [
            key for key, one in backend.replications.items() if name in (one.get("UserGroupIds") or [])
        ],
        "ServerlessCaches": [key for key, one in backend.serverless.items() if one.get("UserGroupId") == name],
    }


ACTIONS = (
    describe_users,
    modify_user,
    delete_user,
    create_user_group,
    describe_user_groups,
    modify_user_group,
    delete_user_group,
)
