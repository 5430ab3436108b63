"""CloudFront: VPC origins, cache policies and distributions are described as they were given until they are deleted."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, REGION, Cloud

pytestmark = pytest.mark.stack

ORIGIN = {
    "Name": "inner",
    "Arn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/inner/1",
    "HTTPPort": 80,
    "HTTPSPort": 443,
    "OriginProtocolPolicy": "https-only",
    "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
}
POLICY = {"Name": "none", "MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 1, "Comment": "no cache"}


def code(call: Any, **members: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**members)
    return str(caught.value.response["Error"]["Code"])


def test_a_vpc_origin(cloud: Cloud) -> None:
    client = cloud.client("cloudfront")
    tags = {"Items": [{"Key": "a", "Value": "b"}]}
    made = client.create_vpc_origin(VpcOriginEndpointConfig=ORIGIN, Tags=tags)
    name = made["VpcOrigin"]["Id"]
    found = client.get_vpc_origin(Id=name)
    assert (found["VpcOrigin"]["VpcOriginEndpointConfig"], found["VpcOrigin"]["Status"]) == (ORIGIN, "Deployed")
    assert client.list_tags_for_resource(Resource=found["VpcOrigin"]["Arn"])["Tags"] == tags
    assert [one["Id"] for one in client.list_vpc_origins()["VpcOriginList"]["Items"]] == [name]
    assert code(client.create_vpc_origin, VpcOriginEndpointConfig=ORIGIN) == "EntityAlreadyExists"
    changed = {**ORIGIN, "HTTPSPort": 8443}
    wrong = {"Id": name, "VpcOriginEndpointConfig": changed, "IfMatch": "another"}
    assert code(client.update_vpc_origin, **wrong) == "PreconditionFailed"
    updated = client.update_vpc_origin(**{**wrong, "IfMatch": found["ETag"]})
    assert client.get_vpc_origin(Id=name)["VpcOrigin"]["VpcOriginEndpointConfig"] == changed
    client.delete_vpc_origin(Id=name, IfMatch=updated["ETag"])
    for missing in (name, "vo_unknown"):
        with pytest.raises(client.exceptions.EntityNotFound) as caught:
            client.get_vpc_origin(Id=missing)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_a_cache_policy(cloud: Cloud) -> None:
    client = cloud.client("cloudfront")
    made = client.create_cache_policy(CachePolicyConfig=POLICY)
    name = made["CachePolicy"]["Id"]
    assert client.get_cache_policy_config(Id=name)["CachePolicyConfig"] == POLICY
    assert code(client.create_cache_policy, CachePolicyConfig=POLICY) == "CachePolicyAlreadyExists"
    changed = {**POLICY, "MaxTTL": 5}
    updated = client.update_cache_policy(Id=name, IfMatch=made["ETag"], CachePolicyConfig=changed)
    assert client.get_cache_policy(Id=name)["CachePolicy"]["CachePolicyConfig"] == changed
    assert code(client.delete_cache_policy, Id=name, IfMatch=made["ETag"]) == "PreconditionFailed"
    client.delete_cache_policy(Id=name, IfMatch=updated["ETag"])
    assert code(client.get_cache_policy, Id=name) == "NoSuchCachePolicy"


def test_a_distribution_has_what_was_given_and_nothing_else(cloud: Cloud) -> None:
    client = cloud.client("cloudfront")
    vpc = {"VpcOriginId": "vo_1", "OriginReadTimeout": 20, "OriginKeepaliveTimeout": 5}
    origin = {"Id": "inner", "DomainName": "inner.example.com", "VpcOriginConfig": vpc}
    behavior = {"TargetOriginId": "inner", "ViewerProtocolPolicy": "https-only", "CachePolicyId": "policy"}
    configuration = {
        "CallerReference": "one",
        "Comment": "c",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behavior,
        "CustomErrorResponses": {"Quantity": 1, "Items": [{"ErrorCode": 503, "ErrorCachingMinTTL": 0}]},
    }
    made = client.create_distribution(DistributionConfig=configuration)
    name = made["Distribution"]["Id"]
    found = client.get_distribution_config(Id=name)["DistributionConfig"]
    assert found["Origins"]["Items"][0]["VpcOriginConfig"] == vpc
    assert {key: found["DefaultCacheBehavior"][key] for key in behavior} == behavior
    assert "ForwardedValues" not in found["DefaultCacheBehavior"]
    assert found["CustomErrorResponses"] == configuration["CustomErrorResponses"]
    changed = {**found, "Comment": "changed", "Enabled": False}
    update = {"Id": name, "DistributionConfig": changed}
    assert code(client.update_distribution, **update, IfMatch="another") == "PreconditionFailed"
    etag = client.update_distribution(**update, IfMatch=made["ETag"])["ETag"]
    assert client.get_distribution(Id=name)["Distribution"]["DistributionConfig"] == changed
    client.delete_distribution(Id=name, IfMatch=etag)
    assert code(client.get_distribution, Id=name) == "NoSuchDistribution"
