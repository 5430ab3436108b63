"""What Terraform reads again after an apply: a member that was given is described, so the second plan is empty."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.localcloud import ACCOUNT, REGION, Cloud

pytestmark = pytest.mark.stack

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/round-trip"
DATA_API = {"Engine": "aurora-postgresql", "MasterUsername": "owner", "MasterUserPassword": "sixteen-characters"}


def permission(other: str, listed: str, text: str) -> dict[str, Any]:
    """One permission with a rule of each kind, each described by its kind and the text."""
    return {
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": f"range {text}"}],
        "UserIdGroupPairs": [{"GroupId": other, "Description": f"group {text}"}],
        "PrefixListIds": [{"PrefixListId": listed, "Description": f"list {text}"}],
    }


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_security_groups_rules_have_their_descriptions(cloud: Cloud, direction: str) -> None:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    own, other = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("own", "other")
    )
    listed = ec2.create_managed_prefix_list(PrefixListName="list", MaxEntries=1, AddressFamily="IPv4")["PrefixList"]

    def authorize(text: str) -> Any:
        permissions = [permission(other, listed["PrefixListId"], text)]
        return getattr(ec2, f"authorize_security_group_{direction}")(GroupId=own, IpPermissions=permissions)

    def texts() -> list[str]:
        found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [own]}])
        return sorted(
            rule.get("Description", "") for rule in found["SecurityGroupRules"] if rule.get("FromPort") == 443
        )

    authorize("a")
    assert texts() == ["group a", "list a", "range a"]
    with pytest.raises(ec2.exceptions.ClientError, match=r"InvalidPermission\.Duplicate"):
        authorize("b")

    changed = permission(other, listed["PrefixListId"], "c")
    getattr(ec2, f"update_security_group_rule_descriptions_{direction}")(GroupId=own, IpPermissions=[changed])
    assert texts() == ["group c", "list c", "range c"]
    group = ec2.describe_security_groups(GroupIds=[own])["SecurityGroups"][0]
    described = group["IpPermissions" if direction == "ingress" else "IpPermissionsEgress"]
    found = next(one for one in described if one.get("FromPort") == 443)
    kinds = ("IpRanges", "UserIdGroupPairs", "PrefixListIds")
    assert [one["Description"] for kind in kinds for one in found[kind]] == ["range c", "group c", "list c"]

    getattr(ec2, f"revoke_security_group_{direction}")(GroupId=own, IpPermissions=[changed])
    assert texts() == []


def test_an_aurora_cluster_has_its_data_api(cloud: Cloud) -> None:
    rds = cloud.client("rds")

    def enabled() -> bool:
        return bool(rds.describe_db_clusters(DBClusterIdentifier="data-api")["DBClusters"][0]["HttpEndpointEnabled"])

    made = rds.create_db_cluster(DBClusterIdentifier="data-api", EnableHttpEndpoint=True, **DATA_API)["DBCluster"]
    assert enabled()
    arn = made["DBClusterArn"]
    disabled = rds.disable_http_endpoint(ResourceArn=arn)
    assert (disabled["ResourceArn"], disabled["HttpEndpointEnabled"]) == (arn, False)
    assert not enabled()
    assert rds.enable_http_endpoint(ResourceArn=arn)["HttpEndpointEnabled"]
    assert enabled()
    with pytest.raises(rds.exceptions.ResourceNotFoundFault):
        rds.enable_http_endpoint(ResourceArn=f"{arn}-of-another")


def test_an_instance_of_a_cluster_has_its_performance_insights(cloud: Cloud) -> None:
    rds = cloud.client("rds")
    rds.create_db_cluster(DBClusterIdentifier="insights", **DATA_API)
    instance = {"DBInstanceIdentifier": "insights-1"}
    rds.create_db_instance(
        **instance,
        DBClusterIdentifier="insights",
        Engine="aurora-postgresql",
        DBInstanceClass="db.serverless",
        EnablePerformanceInsights=True,
        PerformanceInsightsKMSKeyId=KEY,
    )

    def insights() -> list[Any]:
        found = rds.describe_db_instances(**instance)["DBInstances"][0]
        members = ("Enabled", "KMSKeyId", "RetentionPeriod")
        return [found.get(f"PerformanceInsights{member}") for member in members]

    assert insights() == [True, KEY, 7]
    rds.modify_db_instance(**instance, PerformanceInsightsRetentionPeriod=31)
    assert insights() == [True, KEY, 31]
    rds.modify_db_instance(**instance, EnablePerformanceInsights=False)
    assert insights() == [False, None, None]


def test_a_private_zone_has_its_vpcs(cloud: Cloud) -> None:
    client = cloud.client("route53")
    first, second = ({"VPCRegion": REGION, "VPCId": f"vpc-{name}"} for name in ("a", "b"))
    made = client.create_hosted_zone(Name="private.example.com", CallerReference="private", VPC=first)
    zone = made["HostedZone"]["Id"]
    assert client.get_hosted_zone(Id=zone)["VPCs"] == [first]
    client.associate_vpc_with_hosted_zone(HostedZoneId=zone, VPC=second)
    assert client.get_hosted_zone(Id=zone)["VPCs"] == [first, second]


def test_a_queues_redrive_policy_is_the_text_that_was_set(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    sqs.create_queue(QueueName="letters")
    texts = [
        f'{{"deadLetterTargetArn":"arn:aws:sqs:{REGION}:{ACCOUNT}:letters","maxReceiveCount":{count}}}'
        for count in (2, '"3"')
    ]
    url = sqs.create_queue(QueueName="exact", Attributes={"RedrivePolicy": texts[0]})["QueueUrl"]

    def found(name: str) -> str | None:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name]).get("Attributes", {})
        return attributes.get("RedrivePolicy")

    assert found("RedrivePolicy") == texts[0]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": texts[1]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    assert found("All") == texts[1]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    assert found("All") is None
