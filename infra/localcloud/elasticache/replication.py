"""Replication groups of ElastiCache, as they were created and changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.elasticache.exceptions import ReplicationGroupAlreadyExists, ReplicationGroupNotFound

from infra.localcloud.actions import AwsError, Members, kept
from infra.localcloud.elasticache.models import CacheBackend, answered, page

# What is kept of a request and described with the same name.
_SAME = (
    "ReplicationGroupId", "CacheNodeType", "KmsKeyId", "UserGroupIds", "SnapshotRetentionLimit", "SnapshotWindow",
    "TransitEncryptionEnabled", "AtRestEncryptionEnabled", "AutoMinorVersionUpgrade", "NetworkType", "IpDiscovery",
    "TransitEncryptionMode", "ClusterMode", "Engine", "SnapshottingClusterId",
)  # fmt: skip
_DEFAULTS = {
    "Engine": "redis",
    "Port": 6379,
    "SnapshotRetentionLimit": 0,
    "SnapshotWindow": "05:00-06:00",
    "PreferredMaintenanceWindow": "sun:06:00-sun:07:00",
    "TransitEncryptionEnabled": False,
    "AtRestEncryptionEnabled": False,
    "AutoMinorVersionUpgrade": True,
    "NetworkType": "ipv4",
    "IpDiscovery": "ipv4",
    "ReplicasPerNodeGroup": 0,
}
_VERSIONS = {"redis": "7.1", "valkey": "8.0"}


@answered
def create_replication_group(backend: CacheBackend, request: Members) -> Members:
    """Answers CreateReplicationGroup."""
    name = request["ReplicationGroupId"].lower()
    if name in backend.replications:
        raise ReplicationGroupAlreadyExists(name)
    _check(backend, request)
    group = {**_DEFAULTS, **request, "ReplicationGroupId": name, "CreateTime": datetime.now(UTC)}
    group.pop("AuthToken", None)
    if request.get("AuthToken"):
        group["AuthTokenLastModifiedDate"] = group["CreateTime"]
    group.setdefault("EngineVersion", _VERSIONS.get(group["Engine"], "7.1"))
    enabled = group.get("ClusterMode") == "enabled" or int(group.get("NumNodeGroups") or 1) > 1
    group["ClusterMode"] = "enabled" if enabled else group.get("ClusterMode", "disabled")
    if group.get("NumCacheClusters"):
        group["ReplicasPerNodeGroup"] = int(group["NumCacheClusters"]) - 1
    if group["TransitEncryptionEnabled"]:
        group.setdefault("TransitEncryptionMode", "required")
    backend.replications[name] = group
    backend.tagging_service.tag_resource(arn(backend, group), group.pop("Tags", None))
    return {"ReplicationGroup": described(backend, group)}


def _check(backend: CacheBackend, request: Members) -> None:
    for name, known in (
        ("CacheSubnetGroup", backend.cache_subnet_groups),
        ("CacheParameterGroup", backend.parameter_groups),
    ):
        given = request.get(f"{name}Name")
        if given and given not in known and not given.startswith("default"):
            raise AwsError(f"{name}NotFound", f"{name} {given} not found.")
    for given in request.get("UserGroupIds") or []:
        if given not in backend.user_groups:
            raise AwsError("UserGroupNotFound", f"User group {given} not found.")
    token = request.get("AuthToken")
    if token and not request.get("TransitEncryptionEnabled"):
        text = "An AUTH token is only allowed with transit encryption"
        raise AwsError("InvalidParameterCombination", text)
    if token and not 16 <= len(token) <= 128:
        raise AwsError("InvalidParameterValue", "Invalid AuthToken provided: it has 16 to 128 characters")


@answered
def describe_replication_groups(backend: CacheBackend, request: Members) -> Members:
    """Answers DescribeReplicationGroups."""
    name = request.get("ReplicationGroupId")
    groups = [_group(backend, name)] if name else list(backend.replications.values())
    return page(request, "ReplicationGroups", [described(backend, group) for group in groups])


@answered
def modify_replication_group(backend: CacheBackend, request: Members) -> Members:
    """Answers ModifyReplicationGroup: every change is applied at once."""
    group = _group(backend, request["ReplicationGroupId"])
    _check(backend, {**group, **request})
    changes = {name: value for name, value in request.items() if name in _CHANGED and value is not None}
    group.update(changes)
    users = [one for one in group.get("UserGroupIds") or [] if one not in (request.get("UserGroupIdsToRemove") or [])]
    group["UserGroupIds"] = [*users, *(request.get("UserGroupIdsToAdd") or [])]
    if request.get("RemoveUserGroups"):
        group["UserGroupIds"] = []
    if request.get("AuthToken"):
        group["AuthTokenLastModifiedDate"] = datetime.now(UTC)
    if request.get("AuthTokenUpdateStrategy") == "DELETE":
        group.pop("AuthTokenLastModifiedDate", None)
    return {"ReplicationGroup": described(backend, group)}


_CHANGED = (
    "ReplicationGroupDescription", "AutomaticFailoverEnabled", "MultiAZEnabled", "SecurityGroupIds",
    "PreferredMaintenanceWindow", "NotificationTopicArn", "CacheParameterGroupName", "Engine", "EngineVersion",
    "AutoMinorVersionUpgrade", "SnapshotRetentionLimit", "SnapshotWindow", "CacheNodeType", "IpDiscovery",
    "TransitEncryptionEnabled", "TransitEncryptionMode", "ClusterMode", "SnapshottingClusterId",
    "LogDeliveryConfigurations",
)  # fmt: skip


@answered
def increase_replica_count(backend: CacheBackend, request: Members) -> Members:
    """Answers IncreaseReplicaCount."""
    return _resized(backend, request)


@answered
def decrease_replica_count(backend: CacheBackend, request: Members) -> Members:
    """Answers DecreaseReplicaCount."""
    return _resized(backend, request)


def _resized(backend: CacheBackend, request: Members) -> Members:
    group = _group(backend, request["ReplicationGroupId"])
    if request.get("NewReplicaCount") is None:
        raise NotImplementedError("the number of replicas is the same in each node group here: give NewReplicaCount")
    group["ReplicasPerNodeGroup"] = int(request["NewReplicaCount"])
    return {"ReplicationGroup": described(backend, group)}


@answered
def delete_replication_group(backend: CacheBackend, request: Members) -> Members:
    """Answers DeleteReplicationGroup: it is gone when this returns."""
    group = _group(backend, request["ReplicationGroupId"])
    if request.get("RetainPrimaryCluster") or request.get("FinalSnapshotIdentifier"):
        raise NotImplementedError("there are no data to keep: give neither RetainPrimaryCluster nor a final snapshot")
    answer = {**described(backend, group), "Status": "deleting"}
    del backend.replications[group["ReplicationGroupId"]]
    backend.forget(arn(backend, group))
    return {"ReplicationGroup": answer}


def _group(backend: CacheBackend, name: str) -> Members:
    if name.lower() not in backend.replications:
        raise ReplicationGroupNotFound(name)
    return backend.replications[name.lower()]


def arn(backend: CacheBackend, group: Members) -> str:
    """The group's ARN."""
    return backend.arn("replicationgroup", group["ReplicationGroupId"])


def members_of(group: Members) -> list[tuple[str, str]]:
    """The names of the group's clusters, each with that of its node group."""
    name, size = group["ReplicationGroupId"], int(group["ReplicasPerNodeGroup"]) + 1
    if group["ClusterMode"] != "enabled":
        return [(f"{name}-{number:03}", "0001") for number in range(1, size + 1)]
    return [
        (f"{name}-{node:04}-{number:03}", f"{node:04}")
        for node in range(1, int(group.get("NumNodeGroups") or 1) + 1)
        for number in range(1, size + 1)
    ]


def endpoint(backend: CacheBackend, name: str, port: int) -> dict[str, Any]:
    """An address in AWS's form. Nothing answers there."""
    return {"Address": f"{name}.local.{backend.region_name}.cache.amazonaws.com", "Port": port}


def described(backend: CacheBackend, group: Members) -> Members:
    """The group as DescribeReplicationGroups reports it."""
    enabled = group["ClusterMode"] == "enabled"
    configuration = endpoint(backend, f"clustercfg.{group['ReplicationGroupId']}", group["Port"])
    return {
        **kept(group, *_SAME, "AuthTokenLastModifiedDate"),
        "Description": group["ReplicationGroupDescription"],
        "ARN": arn(backend, group),
        "Status": "available",
        "PendingModifiedValues": {},
        "AutomaticFailover": "enabled" if group.get("AutomaticFailoverEnabled") else "disabled",
        "MultiAZ": "enabled" if group.get("MultiAZEnabled") else "disabled",
        "DataTiering": "enabled" if group.get("DataTieringEnabled") else "disabled",
        "ClusterEnabled": enabled,
        "AuthTokenEnabled": "AuthTokenLastModifiedDate" in group,
        "ReplicationGroupCreateTime": group["CreateTime"],
        "LogDeliveryConfigurations": [
            {**one, "Status": "active"} for one in group.get("LogDeliveryConfigurations") or []
        ],
        "MemberClusters": [name for name, _ in members_of(group)],
        "NodeGroups": _node_groups(backend, group),
        **({"ConfigurationEndpoint": configuration} if enabled else {}),
    }


def _node_groups(backend: CacheBackend, group: Members) -> list[Members]:
    enabled, name, members = group["ClusterMode"] == "enabled", group["ReplicationGroupId"], members_of(group)
    nodes = list(dict.fromkeys(node for _, node in members))
    described_nodes: list[Members] = []
    for number, node in enumerate(nodes):
        entry: Members = {"NodeGroupId": node, "Status": "available", "NodeGroupMembers": []}
        if enabled:
            low, high = 16384 * number // len(nodes), 16384 * (number + 1) // len(nodes) - 1
            entry["Slots"] = f"{low}-{high}"
        else:
            entry["PrimaryEndpoint"] = endpoint(backend, f"master.{name}", group["Port"])
            entry["ReaderEndpoint"] = endpoint(backend, f"replica.{name}", group["Port"])
        zones = group.get("PreferredCacheClusterAZs") or [f"{backend.region_name}a", f"{backend.region_name}b"]
        for place, cluster in enumerate(one for one, of in members if of == node):
            member = {
                "CacheClusterId": cluster,
                "CacheNodeId": "0001",
                "PreferredAvailabilityZone": zones[place % len(zones)],
            }
            if not enabled:
                member["CurrentRole"] = "replica" if place else "primary"
                member["ReadEndpoint"] = endpoint(backend, cluster, group["Port"])
            entry["NodeGroupMembers"].append(member)
        described_nodes.append(entry)
    return described_nodes


ACTIONS = (
    create_replication_group,
    describe_replication_groups,
    modify_replication_group,
    increase_replica_count,
    decrease_replica_count,
    delete_replication_group,
)
