"""Subnet groups, parameter groups and tags of ElastiCache."""

from __future__ import annotations

from typing import Any

from moto.elasticache.exceptions import CacheSubnetGroupNotFound
from moto.elasticache.models import CacheSubnetGroup

from infra.localcloud.actions import AwsError, Members, found, kept
from infra.localcloud.elasticache.models import CacheBackend, answered, page

_FAMILIES = (
    "memcached1.4", "memcached1.5", "memcached1.6", "redis2.6", "redis2.8", "redis3.2", "redis4.0", "redis5.0",
    "redis6.x", "redis7", "valkey7", "valkey8", "valkey9",
)  # fmt: skip


@answered
def create_cache_subnet_group(backend: CacheBackend, request: Members) -> Members:
    """Answers CreateCacheSubnetGroup."""
    name = request["CacheSubnetGroupName"].lower()
    group = backend.create_cache_subnet_group(
        name, request["CacheSubnetGroupDescription"], request["SubnetIds"], request.get("Tags", [])
    )
    backend.tagging_service.tag_resource(group.arn, request.get("Tags"))
    return {"CacheSubnetGroup": _subnets(group)}


@answered
def describe_cache_subnet_groups(backend: CacheBackend, request: Members) -> Members:
    """Answers DescribeCacheSubnetGroups."""
    name = request.get("CacheSubnetGroupName")
    groups = [_subnet_group(backend, name)] if name else list(backend.cache_subnet_groups.values())
    return page(request, "CacheSubnetGroups", [_subnets(group) for group in groups])


@answered
def modify_cache_subnet_group(backend: CacheBackend, request: Members) -> Members:
    """Answers ModifyCacheSubnetGroup."""
    group = _subnet_group(backend, request["CacheSubnetGroupName"])
    changed = CacheSubnetGroup(
        backend.account_id,
        backend.region_name,
        group.cache_subnet_group_name,
        request.get("CacheSubnetGroupDescription") or group.cache_subnet_group_description,
        request.get("SubnetIds") or group.subnet_ids,
        group.tags,
    )
    backend.cache_subnet_groups[group.cache_subnet_group_name] = changed
    return {"CacheSubnetGroup": _subnets(changed)}


@answered
def delete_cache_subnet_group(backend: CacheBackend, request: Members) -> Members:
    """Answers DeleteCacheSubnetGroup."""
    group = _subnet_group(backend, request["CacheSubnetGroupName"])
    users = [
        one for one in backend.replications.values() if one.get("CacheSubnetGroupName") == group.cache_subnet_group_name
    ]
    if users:
        raise AwsError(
            "CacheSubnetGroupInUse",
            f"Cache subnet group {group.cache_subnet_group_name} is currently in use by a cache cluster.",
        )
    del backend.cache_subnet_groups[group.cache_subnet_group_name]
    backend.forget(group.arn)
    return {}


def _subnet_group(backend: CacheBackend, name: str) -> CacheSubnetGroup:
    if name.lower() not in backend.cache_subnet_groups:
        raise CacheSubnetGroupNotFound(name)
    return backend.cache_subnet_groups[name.lower()]


def _subnets(group: CacheSubnetGroup) -> Members:
    subnets: list[dict[str, Any]] = group.subnets
    return {
        "CacheSubnetGroupName": group.cache_subnet_group_name,
        "CacheSubnetGroupDescription": group.cache_subnet_group_description,
        "VpcId": group.vpc_id,
        "ARN": group.arn,
        "SupportedNetworkTypes": group.supported_network_types,
        "Subnets": [
            {
                "SubnetIdentifier": subnet["subnet_identifier"],
                "SubnetAvailabilityZone": {"Name": subnet.get("subnet_availability_zone")},
                "SupportedNetworkTypes": subnet["supported_network_types"],
            }
            for subnet in subnets
        ],
    }


@answered
def create_cache_parameter_group(backend: CacheBackend, request: Members) -> Members:
    """Answers CreateCacheParameterGroup."""
    name, family = request["CacheParameterGroupName"].lower(), request["CacheParameterGroupFamily"]
    if name in backend.parameter_groups:
        raise AwsError("CacheParameterGroupAlreadyExists", f"Parameter group {name} already exists")
    if family not in _FAMILIES:
        raise AwsError(
            "InvalidParameterValue", f"CacheParameterGroupFamily {family} is not a valid parameter group family."
        )
    group = {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": family,
        "Description": request["Description"],
        "IsGlobal": False,
        "ARN": backend.arn("parametergroup", name),
        "Values": {},
    }
    backend.parameter_groups[name] = group
    backend.tagging_service.tag_resource(str(group["ARN"]), request.get("Tags"))
    return {"CacheParameterGroup": _shown(group)}


@answered
def describe_cache_parameter_groups(backend: CacheBackend, request: Members) -> Members:
    """Answers DescribeCacheParameterGroups."""
    name = request.get("CacheParameterGroupName")
    groups = [_parameter_group(backend, name)] if name else list(backend.parameter_groups.values())
    return page(request, "CacheParameterGroups", [_shown(group) for group in groups])


@answered
def describe_cache_parameters(backend: CacheBackend, request: Members) -> Members:
    """Answers DescribeCacheParameters: the parameters that were changed. The engine's defaults are not known here."""
    group = _parameter_group(backend, request["CacheParameterGroupName"])
    changed = [
        {"ParameterName": name, "ParameterValue": value, "Source": "user", "IsModifiable": True}
        for name, value in group["Values"].items()
        if request.get("Source", "user") == "user"
    ]
    return page(request, "Parameters", changed)


@answered
def modify_cache_parameter_group(backend: CacheBackend, request: Members) -> Members:
    """Answers ModifyCacheParameterGroup."""
    group = _parameter_group(backend, request["CacheParameterGroupName"])
    for entry in request["ParameterNameValues"]:
        group["Values"][entry["ParameterName"]] = entry.get("ParameterValue", "")
    return kept(group, "CacheParameterGroupName")


@answered
def reset_cache_parameter_group(backend: CacheBackend, request: Members) -> Members:
    """Answers ResetCacheParameterGroup."""
    group = _parameter_group(backend, request["CacheParameterGroupName"])
    if request.get("ResetAllParameters"):
        group["Values"].clear()
    for entry in request.get("ParameterNameValues") or []:
        group["Values"].pop(entry["ParameterName"], None)
    return kept(group, "CacheParameterGroupName")


@answered
def delete_cache_parameter_group(backend: CacheBackend, request: Members) -> Members:
    """Answers DeleteCacheParameterGroup."""
    group = _parameter_group(backend, request["CacheParameterGroupName"])
    name = group["CacheParameterGroupName"]
    if any(one.get("CacheParameterGroupName") == name for one in backend.replications.values()):
        text = f"One or more cache clusters are still members of this parameter group {name}, so it cannot be deleted."
        raise AwsError("InvalidCacheParameterGroupState", text)
    del backend.parameter_groups[name]
    backend.forget(group["ARN"])
    return {}


def _parameter_group(backend: CacheBackend, name: str) -> Members:
    text = f"CacheParameterGroup {name.lower()} not found."
    return found(backend.parameter_groups, name.lower(), "CacheParameterGroupNotFound", text)


def _shown(group: Members) -> Members:
    return {name: value for name, value in group.items() if name != "Values"}


@answered
def list_tags_for_resource(backend: CacheBackend, request: Members) -> Members:
    """Answers ListTagsForResource."""
    arn = backend.tagged(request["ResourceName"])
    return {"TagList": backend.tagging_service.list_tags_for_resource(arn)["Tags"]}


@answered
def add_tags_to_resource(backend: CacheBackend, request: Members) -> Members:
    """Answers AddTagsToResource."""
    arn = backend.tagged(request["ResourceName"])
    backend.tagging_service.tag_resource(arn, request["Tags"])
    return {"TagList": backend.tagging_service.list_tags_for_resource(arn)["Tags"]}


@answered
def remove_tags_from_resource(backend: CacheBackend, request: Members) -> Members:
    """Answers RemoveTagsFromResource."""
    arn = backend.tagged(request["ResourceName"])
    backend.tagging_service.untag_resource_using_names(arn, request["TagKeys"])
    return {"TagList": backend.tagging_service.list_tags_for_resource(arn)["Tags"]}


ACTIONS = (
    create_cache_subnet_group,
    describe_cache_subnet_groups,
    modify_cache_subnet_group,
    delete_cache_subnet_group,
    create_cache_parameter_group,
    describe_cache_parameter_groups,
    describe_cache_parameters,
    modify_cache_parameter_group,
    reset_cache_parameter_group,
    delete_cache_parameter_group,
    list_tags_for_resource,
    add_tags_to_resource,
    remove_tags_from_resource,
)
