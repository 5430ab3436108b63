"""What Terraform needs of each resource: described as given, listed, tagged, changed and deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, ROLE, Cloud

pytestmark = pytest.mark.stack

Call = tuple[str, Mapping[str, Any]]
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})
TARGET = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/round-trip",
    "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
}
NOTICE = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80.0,
    "ThresholdType": "PERCENTAGE",
}
BUDGET = {
    "BudgetName": "round-trip",
    "BudgetLimit": {"Amount": "10", "Unit": "USD"},
    "TimeUnit": "MONTHLY",
    "BudgetType": "COST",
}
CONNECTION = {"Name": "round-trip", "ConnectionType": "JDBC", "ConnectionProperties": {"SECRET_ID": "orders"}}
RULE = {
    "RuleName": "round-trip", "Priority": 7, "FixedRate": 0.5, "ReservoirSize": 2, "ServiceName": "*",
    "ServiceType": "*", "Host": "*", "HTTPMethod": "GET", "URLPath": "/a", "ResourceARN": "*", "Version": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Tagging:
    """How a service tags.

    Attributes:
        member: The request's member for the ARN.
        put, get, remove: The operations.
        tags, listed, keys: The members with the tags to put, the listed tags, and the keys to remove.
        mapping: Whether the tags are a mapping, not a list of Key and Value.
        given_as_mapping: Whether they are put as a mapping, although they are listed as a list.
    """

    member: str = "ResourceARN"
    put: str = "tag_resource"
    get: str = "list_tags_for_resource"
    remove: str = "untag_resource"
    tags: str = "Tags"
    listed: str = "Tags"
    keys: str = "TagKeys"
    mapping: bool = False
    given_as_mapping: bool = False

    def form(self, tags: Mapping[str, str]) -> Any:
        return (
            dict(tags)
            if self.mapping or self.given_as_mapping
            else [{"Key": key, "Value": value} for key, value in tags.items()]
        )

    def read(self, listed: Any) -> dict[str, str]:
        return dict(listed) if self.mapping else {tag["Key"]: tag["Value"] for tag in listed}


CACHE = Tagging("ResourceName", "add_tags_to_resource", remove="remove_tags_from_resource", listed="TagList")


@dataclass(frozen=True)
class Resource:
    """A type of resource, and how it is handled.

    Attributes:
        service: boto3's name.
        create, describe, update, delete: The operation and its members.
        found: Where the resource is in the answer of ``describe``.
        given: What must be described after ``create``.
        updated: What must be described after ``update``.
        absent: Members that were not given, and that must not be described.
        arn: The resource's ARN: the name of its member in the description, or a function of the description.
        tagging: How it is tagged; None if it has no tags.
        create_tags: The member of ``create`` with tags; None if tags are only put later.
        gone: The error of ``describe`` after ``delete``; None if ``found`` is then empty.
    """

    service: str
    create: Call
    describe: Call
    found: tuple[str | int, ...]
    given: Mapping[str, Any]
    delete: Call
    update: Call | None = None
    updated: Mapping[str, Any] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    arn: str | Callable[[Any], str] = "ARN"
    tagging: Tagging | None = None
    create_tags: str | None = "Tags"
    gone: str | None = None
    before: tuple[tuple[str, str, Mapping[str, Any]], ...] = ()
    after: tuple[tuple[str, str, Mapping[str, Any]], ...] = ()


def cache(kind: str, name_member: str, **more: Any) -> dict[str, Any]:
    """The fields that ElastiCache's resources share."""
    name = {name_member: "round-trip"}
    return {
        "service": "elasticache",
        "describe": (f"describe_{kind}s", name),
        "delete": (f"delete_{kind}", name),
        "tagging": CACHE,
        **more,
    }


USER = {"UserId": "round-trip", "UserName": "default", "Engine": "valkey", "AccessString": "on ~* +@all"}

RESOURCES: dict[str, Resource] = {
    "scalable target": Resource(
        "application-autoscaling",
        create=("register_scalable_target", {**TARGET, "MinCapacity": 1, "MaxCapacity": 5}),
        describe=("describe_scalable_targets", {"ServiceNamespace": "dynamodb"}),
        found=("ScalableTargets", 0),
        given={**TARGET, "MinCapacity": 1, "MaxCapacity": 5},
        update=("register_scalable_target", {**TARGET, "MaxCapacity": 9}),
        updated={"MinCapacity": 1, "MaxCapacity": 9},
        delete=("deregister_scalable_target", TARGET),
        arn="ScalableTargetARN",
        tagging=Tagging(mapping=True),
    ),
    "scaling policy": Resource(
        "application-autoscaling",
        before=(
            ("application-autoscaling", "register_scalable_target", {**TARGET, "MinCapacity": 1, "MaxCapacity": 5}),
        ),
        create=(
            "put_scaling_policy",
            {
                **TARGET,
                "PolicyName": "round-trip",
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 70.0,
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
                },
            },
        ),
        describe=("describe_scaling_policies", {"ServiceNamespace": "dynamodb"}),
        found=("ScalingPolicies", 0),
        given={**TARGET, "PolicyName": "round-trip", "Alarms": []},
        delete=("delete_scaling_policy", {**TARGET, "PolicyName": "round-trip"}),
        after=(("application-autoscaling", "deregister_scalable_target", TARGET),),
    ),
    "budget": Resource(
        "budgets",
        create=("create_budget", {"AccountId": ACCOUNT, "Budget": BUDGET}),
        describe=("describe_budget", {"AccountId": ACCOUNT, "BudgetName": "round-trip"}),
        found=("Budget",),
        given=BUDGET,
        update=(
            "update_budget",
            {"AccountId": ACCOUNT, "NewBudget": {**BUDGET, "BudgetLimit": {"Amount": "20", "Unit": "USD"}}},
        ),
        updated={"BudgetLimit": {"Amount": "20", "Unit": "USD"}},
        delete=("delete_budget", {"AccountId": ACCOUNT, "BudgetName": "round-trip"}),
        arn=lambda budget: f"arn:aws:budgets::{ACCOUNT}:budget/{budget['BudgetName']}",
        tagging=Tagging(tags="ResourceTags", listed="ResourceTags", keys="ResourceTagKeys"),
        create_tags="ResourceTags",
        gone="NotFoundException",
    ),
    "cache parameter group": Resource(
        **cache(
            "cache_parameter_group",
            "CacheParameterGroupName",
            create=(
                "create_cache_parameter_group",
                {
                    "CacheParameterGroupName": "round-trip",
                    "CacheParameterGroupFamily": "valkey8",
                    "Description": "parameters",
                },
            ),
            found=("CacheParameterGroups", 0),
            given={"CacheParameterGroupFamily": "valkey8", "Description": "parameters"},
            gone="CacheParameterGroupNotFound",
        )
    ),
    "cache user": Resource(
        **cache(
            "user",
            "UserId",
            create=("create_user", {**USER, "NoPasswordRequired": True}),
            found=("Users", 0),
            given={**USER, "Status": "active", "Authentication": {"Type": "no-password", "PasswordCount": 0}},
            update=(
                "modify_user",
                {"UserId": "round-trip", "AccessString": "off", "Passwords": ["sixteen characters"]},
            ),
            updated={"AccessString": "off", "Authentication": {"Type": "password", "PasswordCount": 1}},
            gone="UserNotFound",
        )
    ),
    "cache user group": Resource(
        **cache(
            "user_group",
            "UserGroupId",
            create=("create_user_group", {"UserGroupId": "round-trip", "Engine": "redis", "UserIds": ["default"]}),
            found=("UserGroups", 0),
            given={"UserIds": ["default"], "ReplicationGroups": []},
            update=("modify_user_group", {"UserGroupId": "round-trip", "UserIdsToRemove": ["default"]}),
            updated={"UserIds": []},
            gone="UserGroupNotFound",
        )
    ),
    "replication group": Resource(
        **cache(
            "replication_group",
            "ReplicationGroupId",
            create=(
                "create_replication_group",
                {
                    "ReplicationGroupId": "round-trip",
                    "ReplicationGroupDescription": "features",
                    "Engine": "valkey",
                    "CacheNodeType": "cache.t4g.small",
                    "NumCacheClusters": 3,
                    "AutomaticFailoverEnabled": True,
                    "TransitEncryptionEnabled": True,
                    "AuthToken": "sixteen characters",
                },
            ),
            found=("ReplicationGroups", 0),
            given={
                "Description": "features",
                "Engine": "valkey",
                "CacheNodeType": "cache.t4g.small",
                "MemberClusters": ["round-trip-001", "round-trip-002", "round-trip-003"],
                "AutomaticFailover": "enabled",
                "MultiAZ": "disabled",
                "AuthTokenEnabled": True,
                "TransitEncryptionMode": "required",
            },
            absent=("KmsKeyId", "SnapshottingClusterId", "UserGroupIds", "GlobalReplicationGroupInfo"),
            update=("modify_replication_group", {"ReplicationGroupId": "round-trip", "SnapshotRetentionLimit": 3}),
            updated={"SnapshotRetentionLimit": 3, "Description": "features"},
            gone="ReplicationGroupNotFoundFault",
        )
    ),
    "serverless cache": Resource(
        **cache(
            "serverless_cache",
            "ServerlessCacheName",
            create=("create_serverless_cache", {"ServerlessCacheName": "round-trip", "Engine": "valkey"}),
            found=("ServerlessCaches", 0),
            given={"Engine": "valkey", "Status": "available", "MajorEngineVersion": "8"},
            absent=("KmsKeyId", "UserGroupId", "CacheUsageLimits"),
            update=("modify_serverless_cache", {"ServerlessCacheName": "round-trip", "Description": "new"}),
            updated={"Description": "new"},
            gone="ServerlessCacheNotFoundFault",
        )
    ),
    "glue connection": Resource(
        "glue",
        create=("create_connection", {"ConnectionInput": CONNECTION}),
        describe=("get_connection", {"Name": "round-trip"}),
        found=("Connection",),
        given=CONNECTION,
        update=(
            "update_connection",
            {"Name": "round-trip", "ConnectionInput": {**CONNECTION, "ConnectionProperties": {"SECRET_ID": "new"}}},
        ),
        updated={"ConnectionProperties": {"SECRET_ID": "new"}},
        delete=("delete_connection", {"ConnectionName": "round-trip"}),
        arn=lambda found: f"arn:aws:glue:us-east-1:{ACCOUNT}:connection/{found['Name']}",
        tagging=Tagging("ResourceArn", get="get_tags", tags="TagsToAdd", keys="TagsToRemove", mapping=True),
        gone="EntityNotFoundException",
    ),
    "glue job": Resource(
        "glue",
        create=(
            "create_job",
            {"Name": "round-trip", "Role": ROLE, "Command": {"Name": "glueetl", "ScriptLocation": "s3://a/b.py"}},
        ),
        describe=("get_job", {"JobName": "round-trip"}),
        found=("Job",),
        given={"Role": ROLE},
        absent=("ExecutionClass", "SecurityConfiguration", "NotificationProperty", "Connections"),
        update=(
            "update_job",
            {
                "JobName": "round-trip",
                "JobUpdate": {
                    "Role": ROLE,
                    "Command": {"Name": "glueetl", "ScriptLocation": "s3://a/c.py"},
                    "Timeout": 9,
                },
            },
        ),
        updated={"Timeout": 9},
        delete=("delete_job", {"JobName": "round-trip"}),
        gone="EntityNotFoundException",
    ),
    "package group": Resource(
        "sagemaker",
        create=(
            "create_model_package_group",
            {"ModelPackageGroupName": "round-trip", "ModelPackageGroupDescription": "d"},
        ),
        describe=("describe_model_package_group", {"ModelPackageGroupName": "round-trip"}),
        found=(),
        given={"ModelPackageGroupName": "round-trip", "ModelPackageGroupDescription": "d"},
        delete=("delete_model_package_group", {"ModelPackageGroupName": "round-trip"}),
        arn="ModelPackageGroupArn",
        tagging=Tagging("ResourceArn", "add_tags", "list_tags", "delete_tags"),
        gone="ValidationException",
    ),
    "package group policy": Resource(
        "sagemaker",
        before=(("sagemaker", "create_model_package_group", {"ModelPackageGroupName": "with-policy"}),),
        create=("put_model_package_group_policy", {"ModelPackageGroupName": "with-policy", "ResourcePolicy": POLICY}),
        describe=("get_model_package_group_policy", {"ModelPackageGroupName": "with-policy"}),
        found=(),
        given={"ResourcePolicy": POLICY},
        delete=("delete_model_package_group_policy", {"ModelPackageGroupName": "with-policy"}),
        gone="ValidationException",
        after=(("sagemaker", "delete_model_package_group", {"ModelPackageGroupName": "with-policy"}),),
    ),
    "sagemaker model": Resource(
        "sagemaker",
        create=(
            "create_model",
            {"ModelName": "round-trip", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "image:1"}},
        ),
        describe=("describe_model", {"ModelName": "round-trip"}),
        found=(),
        given={"ModelName": "round-trip", "ExecutionRoleArn": ROLE},
        absent=("VpcConfig", "Containers", "InferenceExecutionConfig"),
        delete=("delete_model", {"ModelName": "round-trip"}),
        arn="ModelArn",
        tagging=Tagging("ResourceArn", "add_tags", "list_tags", "delete_tags"),
        gone="ValidationException",
    ),
    "endpoint configuration": Resource(
        "sagemaker",
        before=(
            (
                "sagemaker",
                "create_model",
                {"ModelName": "of-endpoint", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "image:1"}},
            ),
        ),
        create=(
            "create_endpoint_config",
            {
                "EndpointConfigName": "round-trip",
                "ProductionVariants": [
                    {
                        "VariantName": "a",
                        "ModelName": "of-endpoint",
                        "InitialInstanceCount": 1,
                        "InstanceType": "ml.t2.medium",
                    }
                ],
            },
        ),
        describe=("describe_endpoint_config", {"EndpointConfigName": "round-trip"}),
        found=(),
        given={"EndpointConfigName": "round-trip"},
        absent=("DataCaptureConfig", "KmsKeyId", "AsyncInferenceConfig"),
        delete=("delete_endpoint_config", {"EndpointConfigName": "round-trip"}),
        gone="ValidationException",
        after=(("sagemaker", "delete_model", {"ModelName": "of-endpoint"}),),
    ),
    "query definition": Resource(
        "logs",
        create=(
            "put_query_definition",
            {"name": "round/trip", "queryString": "fields @message", "logGroupNames": ["/a"]},
        ),
        describe=("describe_query_definitions", {"queryDefinitionNamePrefix": "round/"}),
        found=("queryDefinitions", 0),
        given={"name": "round/trip", "queryString": "fields @message", "logGroupNames": ["/a"]},
        absent=("parameters",),
        update=(
            "put_query_definition",
            {"queryDefinitionId": "{queryDefinitionId}", "name": "round/new", "queryString": "limit 1"},
        ),
        updated={"name": "round/new", "queryString": "limit 1"},
        delete=("delete_query_definition", {"queryDefinitionId": "{queryDefinitionId}"}),
    ),
    "xray group": Resource(
        "xray",
        create=("create_group", {"GroupName": "round-trip", "FilterExpression": "duration > 5"}),
        describe=("get_group", {"GroupName": "round-trip"}),
        found=("Group",),
        given={
            "GroupName": "round-trip",
            "FilterExpression": "duration > 5",
            "InsightsConfiguration": {"InsightsEnabled": False, "NotificationsEnabled": False},
        },
        update=("update_group", {"GroupName": "round-trip", "FilterExpression": "duration > 9"}),
        updated={"FilterExpression": "duration > 9"},
        delete=("delete_group", {"GroupName": "round-trip"}),
        arn="GroupARN",
        tagging=Tagging(),
        gone="InvalidRequestException",
    ),
    "sampling rule": Resource(
        "xray",
        create=("create_sampling_rule", {"SamplingRule": RULE}),
        describe=("get_sampling_rules", {}),
        found=("SamplingRuleRecords", 0, "SamplingRule"),
        given=RULE,
        update=("update_sampling_rule", {"SamplingRuleUpdate": {"RuleName": "round-trip", "FixedRate": 0.25}}),
        updated={"FixedRate": 0.25, "Priority": 7},
        delete=("delete_sampling_rule", {"RuleName": "round-trip"}),
        arn="RuleARN",
        tagging=Tagging(),
    ),
    "kinesis stream": Resource(
        "kinesis",
        create=("create_stream", {"StreamName": "round-trip", "ShardCount": 1}),
        describe=("describe_stream_summary", {"StreamName": "round-trip"}),
        found=("StreamDescriptionSummary",),
        given={"StreamName": "round-trip", "OpenShardCount": 1, "EncryptionType": "NONE"},
        absent=("KeyId",),
        update=("increase_stream_retention_period", {"StreamName": "round-trip", "RetentionPeriodHours": 48}),
        updated={"RetentionPeriodHours": 48},
        delete=("delete_stream", {"StreamName": "round-trip"}),
        arn="StreamARN",
        tagging=Tagging(
            "StreamARN", "add_tags_to_stream", "list_tags_for_stream", "remove_tags_from_stream", given_as_mapping=True
        ),
        gone="ResourceNotFoundException",
    ),
    "lambda function": Resource(
        "lambda",
        create=(
            "create_function",
            {
                "FunctionName": "round-trip",
                "Role": ROLE,
                "Runtime": "python3.12",
                "Handler": "main.handler",
                "Code": {"ImageUri": "unused"},
                "DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"},
            },
        ),
        describe=("get_function_configuration", {"FunctionName": "round-trip"}),
        found=(),
        given={"DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"}},
        absent=("KMSKeyArn", "FileSystemConfigs"),
        delete=("delete_function", {"FunctionName": "round-trip"}),
        gone="ResourceNotFoundException",
    ),
}


def call(client: Any, step: Call, found: Any = None) -> Any:
    """Makes a call; a value in braces is a member of what was found."""
    operation, members = step
    values = {
        key: value.format(**(found or {})) if value == "{queryDefinitionId}" else value
        for key, value in members.items()
    }
    return getattr(client, operation)(**values)


def look(client: Any, resource: Resource) -> Any:
    """The description of the resource; None if there is none."""
    found = call(client, resource.describe)
    for part in resource.found:
        if isinstance(part, int) and len(found) <= part:
            return None
        found = found[part]
    return found


def differences(expected: Mapping[str, Any], found: Any) -> dict[str, Any]:
    """The members that are not as expected, with what was found."""
    return {name: found.get(name) for name, value in expected.items() if found.get(name) != value}


@pytest.fixture
def prepared(cloud: Cloud, request: pytest.FixtureRequest) -> Any:
    """The resource of the test's parameter, with what it needs."""
    resource = RESOURCES[request.param]
    for service, operation, members in resource.before:
        getattr(cloud.client(service), operation)(**members)
    yield resource
    for service, operation, members in resource.after:
        getattr(cloud.client(service), operation)(**members)


@pytest.mark.parametrize("prepared", sorted(RESOURCES), indirect=True)
def test_a_resource_is_as_it_was_given_until_it_is_deleted(cloud: Cloud, prepared: Resource) -> None:
    client = cloud.client(prepared.service)
    tags = prepared.tagging
    operation, members = prepared.create
    if tags and prepared.create_tags:
        members = {**members, prepared.create_tags: tags.form({"team": "a"})}
    call(client, (operation, members))

    found = look(client, prepared)
    assert differences(prepared.given, found) == {}
    assert [name for name in prepared.absent if name in found] == []

    if tags:
        arn = prepared.arn(found) if callable(prepared.arn) else found[prepared.arn]
        named = {tags.member: arn}
        at_create = {"team": "a"} if prepared.create_tags else {}
        assert tags.read(getattr(client, tags.get)(**named)[tags.listed]) == at_create
        getattr(client, tags.put)(**named, **{tags.tags: tags.form({"team": "b", "cost": "1"})})
        assert tags.read(getattr(client, tags.get)(**named)[tags.listed]) == {"team": "b", "cost": "1"}
        getattr(client, tags.remove)(**named, **{tags.keys: ["team"]})
        assert tags.read(getattr(client, tags.get)(**named)[tags.listed]) == {"cost": "1"}

    if prepared.update:
        call(client, prepared.update, found)
        changed = look(client, prepared) or {}
        assert differences(prepared.updated, changed) == {}

    call(client, prepared.delete, found)
    if prepared.gone:
        with pytest.raises(ClientError) as error:
            look(client, prepared)
        assert error.value.response["Error"]["Code"] == prepared.gone
    else:
        assert differences(prepared.given, look(client, prepared) or {}) != {}
