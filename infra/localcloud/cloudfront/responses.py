"""CloudFront's actions on VPC origins and cache policies."""

from __future__ import annotations

from typing import Any

from moto.cloudfront.responses import CloudFrontResponse

from infra.localcloud.actions import Members, answered_by
from infra.localcloud.cloudfront import service_groups
from infra.localcloud.cloudfront.models import CloudFrontBackend

PATHS = ("vpc-origin", "vpc-origin/(?P<Id>[^/]+)", "cache-policy", "cache-policy/(?P<Id>[^/]+)",
         "cache-policy/(?P<Id>[^/]+)/config")  # fmt: skip
_MOST = 100


def _backend(response: CloudFrontResponse) -> CloudFrontBackend:
    backend: Any = response.backend
    assert isinstance(backend, CloudFrontBackend)
    return backend


_answered = answered_by(_backend)


def _listed(items: list[Members]) -> Members:
    return {"MaxItems": _MOST, "Quantity": len(items), "Items": items or None}


# --- VPC origins ---


def _origin(backend: CloudFrontBackend, kept: Members) -> Members:
    return {
        "Id": kept["id"],
        "Arn": f"arn:aws:cloudfront::{backend.account_id}:vpcorigin/{kept['id']}",
        "AccountId": backend.account_id,
        "Status": "Deployed",
        "CreatedTime": kept["created"],
        "LastModifiedTime": kept["modified"],
        "VpcOriginEndpointConfig": kept["configuration"],
    }


def _origin_answer(backend: CloudFrontBackend, kept: Members) -> Members:
    return {"VpcOrigin": _origin(backend, kept), "ETag": kept["etag"]}


@_answered
def create_vpc_origin(backend: CloudFrontBackend, request: Members) -> Members:
    """Answers CreateVpcOrigin. With the first origin of a VPC comes CloudFront's security group."""
    kept = backend.vpc_origins.create(request["VpcOriginEndpointConfig"])
    service_groups.create(kept["configuration"]["Arn"])
    answer = _origin_answer(backend, kept)
    if tags := (request.get("Tags") or {}).get("Items"):
        backend.tagger.tag_resource(answer["VpcOrigin"]["Arn"], tags)
    return answer


@_answered
def get_vpc_origin(backend: CloudFrontBackend, request: Members) -> Members:
    """Answers GetVpcOrigin."""
    return _origin_answer(backend, backend.vpc_origins.get(request["Id"]))


@_answered
def update_vpc_origin(backend: CloudFrontBackend, request: Members) -> Members:
    """Answers UpdateVpcOrigin."""
    configuration = request["VpcOriginEndpointConfig"]
    return _origin_answer(backend, backend.vpc_origins.update(request["Id"], request.get("IfMatch"), configuration))


@_answered
def delete_vpc_origin(backend: CloudFrontBackend, request: Members) -> Members:
    """Answers DeleteVpcOrigin."""
    kept = backend.vpc_origins.delete(request["Id"], request.get("IfMatch"))
    answer = _origin_answer(backend, kept)
    backend.tagger.delete_all_tags_for_resource(answer["VpcOrigin"]["Arn"])
    others = [one["configuration"]["Arn"] for one in backend.vpc_origins.items.values()]
    service_groups.delete(kept["configuration"]["Arn"], others)
    return answer


@_answered
def list_vpc_origins(backend: CloudFrontBackend, request: Members) -> Members:
    """Answers ListVpcOrigins."""
    origins = [_origin(backend, kept) for kept in backend.vpc_origins.items.values()]
    summaries = [{**one, "OriginEndpointArn": one["VpcOriginEndpointConfig"]["Arn"]} for one in origins]
    return {"VpcOriginList": {"Marker": "", "IsTruncated": False, **_listed(summaries)}}


# --- cache policies ---


def _policy(kept: Members) -> Members:
    return {"Id": kept["id"], "LastModifiedTime": kept["modified"], "CachePolicyConfig": kept["configuration"]}


def _policy_answer(kept: Members) -> Members:
    return {"CachePolicy": _policy(kept), "ETag": kept["etag"]}


@_answered
def create_cache_policy(backend: CloudFrontBackend, request: Members) -> Members:
    """Answers CreateCachePolicy."""
    return _policy_answer(backend.cache_policies.create(request["CachePolicyConfig"]))


@_answered
def get_cache_policy(backend: CloudFrontBackend, request: Members) -> Members:
    """Answers GetCachePolicy."""
    return _policy_answer(backend.cache_policies.get(request["Id"]))


@_answered
def get_cache_policy_config(backend: CloudFrontBackend, request: Members) -> Members:
    """Answers GetCachePolicyConfig."""
    kept = backend.cache_policies.get(request["Id"])
    return {"CachePolicyConfig": kept["configuration"], "ETag": kept["etag"]}


@_answered
def update_cache_policy(backend: CloudFrontBackend, request: Members) -> Members:
    """Answers UpdateCachePolicy."""
    configuration = request["CachePolicyConfig"]
    return _policy_answer(backend.cache_policies.update(request["Id"], request.get("IfMatch"), configuration))


@_answered
def delete_cache_policy(backend: CloudFrontBackend, request: Members) -> Members:
    """Answers DeleteCachePolicy."""
    backend.cache_policies.delete(request["Id"], request.get("IfMatch"))
    return {}


@_answered
def list_cache_policies(backend: CloudFrontBackend, request: Members) -> Members:
    """Answers ListCachePolicies: the account's own; those that AWS manages are not kept."""
    own = request.get("Type") in (None, "custom")
    kept = list(backend.cache_policies.items.values()) if own else []
    return {"CachePolicyList": _listed([{"Type": "custom", "CachePolicy": _policy(one)} for one in kept])}


ACTIONS = (
    create_vpc_origin, get_vpc_origin, update_vpc_origin, delete_vpc_origin, list_vpc_origins,
    create_cache_policy, get_cache_policy, get_cache_policy_config, update_cache_policy, delete_cache_policy,
    list_cache_policies,
)  # fmt: skip
