"""The clusters of replication groups, which DescribeCacheClusters lists, and serverless caches."""

from __future__ import annotations

from datetime import UTC, datetime

from moto.elasticache.exceptions import CacheClusterNotFound

from infra.localcloud.actions import AwsError, Members, found, kept
from infra.localcloud.elasticache.models import CacheBackend, answered, page
from infra.localcloud.elasticache.replication import endpoint, members_of

# What a group's cluster has of the group.
_OF_THE_GROUP = (
    "CacheNodeType", "Engine", "EngineVersion", "PreferredMaintenanceWindow", "CacheSubnetGroupName",
    "AutoMinorVersionUpgrade", "ReplicationGroupId", "SnapshotRetentionLimit", "SnapshotWindow",
    "AuthTokenLastModifiedDate", "TransitEncryptionEnabled", "AtRestEncryptionEnabled", "NetworkType", "IpDiscovery",
    "TransitEncryptionMode",
)  # fmt: skip
_SERVERLESS = (
    "Description", "CacheUsageLimits", "KmsKeyId", "SecurityGroupIds", "UserGroupId", "SubnetIds",
    "SnapshotRetentionLimit", "DailySnapshotTime", "NetworkType", "Engine", "MajorEngineVersion",
)  # fmt: skip
_PORT = 6379


@answered
def describe_cache_clusters(backend: CacheBackend, request: Members) -> Members:
    """Answers DescribeCacheClusters."""
    of_groups = {
        name: _member(backend, group, name) for group in backend.replications.values() for name, _ in members_of(group)
    }
    name = request.get("CacheClusterId")
    clusters = {**of_groups, **backend.cache_clusters}
    if name and name not in clusters:
        raise CacheClusterNotFound(name)
    return page(request, "CacheClusters", [clusters[name]] if name else list(clusters.values()))


def _member(backend: CacheBackend, group: Members, name: str) -> Members:
    created = group["CreateTime"]
    node = {
        "CacheNodeId": "0001",
        "CacheNodeStatus": "available",
        "CacheNodeCreateTime": created,
        "Endpoint": endpoint(backend, name, group["Port"]),
        "ParameterGroupStatus": "in-sync",
        "CustomerAvailabilityZone": f"{backend.region_name}a",
    }
    version = group["EngineVersion"]
    family = f"{group['Engine']}{version.split('.')[0]}"
    member = {
        **kept(group, *_OF_THE_GROUP),
        # A version of AWS has three parts.
        "EngineVersion": version if version.count(".") > 1 else f"{version}.0",
        "CacheClusterId": name,
        "CacheClusterStatus": "available",
        "CacheClusterCreateTime": created,
        "NumCacheNodes": 1,
        "CacheNodes": [node],
        "PreferredAvailabilityZone": node["CustomerAvailabilityZone"],
        "AuthTokenEnabled": "AuthTokenLastModifiedDate" in group,
        "SecurityGroups": [{"SecurityGroupId": one, "Status": "active"} for one in group.get("SecurityGroupIds") or []],
        "CacheParameterGroup": {
            "CacheParameterGroupName": group.get("CacheParameterGroupName") or f"default.{family}",
            "ParameterApplyStatus": "in-sync",
        },
        "ARN": backend.arn("cluster", name),
    }
    if group.get("NotificationTopicArn"):
        member["NotificationConfiguration"] = {"TopicArn": group["NotificationTopicArn"], "TopicStatus": "active"}
    return member


@answered
def delete_cache_cluster(backend: CacheBackend, request: Members) -> Members:
    """Answers DeleteCacheCluster: it is gone when this returns."""
    name = request["CacheClusterId"]
    if any(name == member for group in backend.replications.values() for member, _ in members_of(group)):
        text = "Cache cluster is part of a replication group: change its number of replicas, or delete the group."
        raise AwsError("InvalidCacheClusterState", text)
    cluster = backend.delete_cache_cluster(name)
    del backend.cache_clusters[name]
    backend.forget(cluster.arn)
    return {"CacheCluster": cluster}


@answered
def create_serverless_cache(backend: CacheBackend, request: Members) -> Members:
    """Answers CreateServerlessCache."""
    name = request["ServerlessCacheName"].lower()
    if name in backend.serverless:
        raise AwsError("ServerlessCacheAlreadyExistsFault", f"Serverless cache {name} already exists")
    if request.get("SnapshotArnsToRestore"):
        raise NotImplementedError("there are no snapshots")
    version = request.get("MajorEngineVersion") or ("8" if request["Engine"] == "valkey" else "7")
    cache = {
        "SnapshotRetentionLimit": 0,
        "DailySnapshotTime": "05:00",
        **kept(request, *_SERVERLESS),
        "MajorEngineVersion": version,
        "FullEngineVersion": f"{version}.0",
        "ServerlessCacheName": name,
        "Status": "available",
        "CreateTime": datetime.now(UTC),
        "ARN": backend.arn("serverlesscache", name),
        "Endpoint": endpoint(backend, f"{name}.serverless", _PORT),
        "ReaderEndpoint": endpoint(backend, f"{name}.serverless", _PORT + 1),
    }
    backend.serverless[name] = cache
    backend.tagging_service.tag_resource(str(cache["ARN"]), request.get("Tags"))
    return {"ServerlessCache": cache}


@answered
def describe_serverless_caches(backend: CacheBackend, request: Members) -> Members:
    """Answers DescribeServerlessCaches."""
    name = request.get("ServerlessCacheName")
    return {"ServerlessCaches": [_serverless(backend, name)] if name else list(backend.serverless.values())}


@answered
def modify_serverless_cache(backend: CacheBackend, request: Members) -> Members:
    """Answers ModifyServerlessCache."""
    cache = _serverless(backend, request["ServerlessCacheName"])
    cache.update(kept(request, *_SERVERLESS))
    if request.get("MajorEngineVersion"):
        cache["FullEngineVersion"] = f"{request['MajorEngineVersion']}.0"
    if request.get("RemoveUserGroup"):
        cache.pop("UserGroupId", None)
    return {"ServerlessCache": cache}


@answered
def delete_serverless_cache(backend: CacheBackend, request: Members) -> Members:
    """Answers DeleteServerlessCache: it is gone when this returns."""
    cache = _serverless(backend, request["ServerlessCacheName"])
    if request.get("FinalSnapshotName"):
        raise NotImplementedError("there are no data to save in a final snapshot")
    del backend.serverless[cache["ServerlessCacheName"]]
    backend.forget(cache["ARN"])
    return {"ServerlessCache": {**cache, "Status": "deleting"}}


def _serverless(backend: CacheBackend, name: str) -> Members:
    text = f"ServerlessCache {name} not found."
    return found(backend.serverless, name.lower(), "ServerlessCacheNotFoundFault", text)


ACTIONS = (
    describe_cache_clusters,
    delete_cache_cluster,
    create_serverless_cache,
    describe_serverless_caches,
    modify_serverless_cache,
    delete_serverless_cache,
)
