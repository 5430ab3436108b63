"""What Terraform and the laptop's bootstrap both make, read through the API: kind → name → description.

Ids, ARNs that contain ids, and times differ between any two clouds. They are left out, or replaced by what they name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from infra.laptop.aws import Aws

Described = dict[str, Any]
# Answers of AWS about when and under which id something was made.
_VOLATILE = re.compile(
    r"(Created|Updated|Modified|LastModified|Creation)(At|On|Date|Time|DateTime|Timestamp)?$|createdAt|registeredAt"
    r"|CreateDate|CreationDateTime|creationTime|creationDate|VersionId|TableId|StreamARN|StreamARNs|revision"
    r"|CreateTime|currentServiceRevisions|ResponseMetadata|events|deployments|LatestStreamArn|RoleId|lastModifiedTime|AlarmArn|State.*|.*Timestamp"
)


def read(aws: Aws) -> dict[str, dict[str, Described]]:
    """Every shared kind of resource of an account."""
    names = _Names(aws)
    return {kind: {name: names.cleaned(one) for name, one in reader(aws)} for kind, reader in READERS.items()}


class _Names:
    """Replaces what contains an id by what it names."""

    def __init__(self, aws: Aws) -> None:
        self._keys = {
            entry["TargetKeyId"]: entry["AliasName"]
            for entry in aws.kms.list_aliases()["Aliases"]
            if "TargetKeyId" in entry
        }

    def cleaned(self, value: Any) -> Any:
        """The value without what is volatile."""
        if isinstance(value, dict):
            return {name: self.cleaned(one) for name, one in value.items() if not _VOLATILE.fullmatch(name)}
        if isinstance(value, list):  # the order of rules, metrics or variables has no meaning
            return sorted(
                (self.cleaned(one) for one in value), key=lambda one: json.dumps(one, default=str, sort_keys=True)
            )
        return self._named(value) if isinstance(value, str) else value

    def _named(self, text: str) -> str:
        for key, alias in self._keys.items():
            text = text.replace(key, alias)
        text = re.sub(r"(app|targetgroup)/([\w-]+)/[0-9a-f]+", r"\1/\2", text)
        text = re.sub(r"/code/[0-9a-f-]+/", "/code/sha/", text)
        return re.sub(r"\b(vpc|subnet|sg)-[0-9a-f]+\b", r"\1", text)


def _buckets(aws: Aws) -> Iterator[tuple[str, Described]]:
    parts: dict[str, Callable[..., Any]] = {
        "versioning": aws.s3.get_bucket_versioning,
        "encryption": aws.s3.get_bucket_encryption,
        "public_access": aws.s3.get_public_access_block,
        "ownership": aws.s3.get_bucket_ownership_controls,
        "lifecycle": aws.s3.get_bucket_lifecycle_configuration,
        "object_lock": aws.s3.get_object_lock_configuration,
        "logging": aws.s3.get_bucket_logging,
        "notification": aws.s3.get_bucket_notification_configuration,
        "policy": lambda Bucket: json.loads(aws.s3.get_bucket_policy(Bucket=Bucket)["Policy"]),  # noqa: N803
    }
    for bucket in aws.s3.list_buckets()["Buckets"]:
        yield bucket["Name"], {part: _or_none(call, Bucket=bucket["Name"]) for part, call in parts.items()}


def _or_none(call: Callable[..., Any], **arguments: Any) -> Any:
    """The answer; None where AWS says that there is no such setting."""
    from botocore.exceptions import ClientError

    try:
        return call(**arguments)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise


def _keys(aws: Aws) -> Iterator[tuple[str, Described]]:
    for entry in aws.kms.list_aliases()["Aliases"]:
        if entry["AliasName"].startswith("alias/nightjar-"):
            key = {"KeyId": entry["TargetKeyId"]}
            metadata = aws.kms.describe_key(**key)["KeyMetadata"]
            yield (
                entry["AliasName"],
                {
                    "description": metadata["Description"],
                    "policy": json.loads(aws.kms.get_key_policy(**key, PolicyName="default")["Policy"]),
                    "rotation": aws.kms.get_key_rotation_status(**key)["KeyRotationEnabled"],
                },
            )


def _roles(aws: Aws) -> Iterator[tuple[str, Described]]:
    for page in aws.iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            name = {"RoleName": role["RoleName"]}
            if role["RoleName"].startswith("nightjar-"):
                inline = aws.iam.list_role_policies(**name)["PolicyNames"]
                attached = aws.iam.list_attached_role_policies(**name)["AttachedPolicies"]
                yield (
                    role["RoleName"],
                    {
                        "trust": role["AssumeRolePolicyDocument"],
                        "inline": {
                            one: aws.iam.get_role_policy(**name, PolicyName=one)["PolicyDocument"] for one in inline
                        },
                        "attached": sorted(one["PolicyName"] for one in attached),
                        "boundary": aws.iam.get_role(**name)["Role"].get("PermissionsBoundary"),
                        "description": role.get("Description"),
                        "session": role["MaxSessionDuration"],
                    },
                )


def _streams(aws: Aws) -> Iterator[tuple[str, Described]]:
    for name in aws.kinesis.list_streams()["StreamNames"]:
        yield name, aws.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]


def _prediction_logs(aws: Aws) -> Iterator[tuple[str, Described]]:
    for name in aws.firehose.list_delivery_streams()["DeliveryStreamNames"]:
        described = aws.firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
        yield (
            name,
            {
                "type": described["DeliveryStreamType"],
                "encryption": described.get("DeliveryStreamEncryptionConfiguration"),
                "destination": described["Destinations"][0]["ExtendedS3DestinationDescription"],
            },
        )


def _tables(aws: Aws) -> Iterator[tuple[str, Described]]:
    for name in aws.dynamodb.list_tables()["TableNames"]:
        backups = aws.dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        table = aws.dynamodb.describe_table(TableName=name)["Table"]
        for counted in ("ItemCount", "TableSizeBytes", "ProvisionedThroughput"):
            table.pop(counted, None)
        yield name, {**table, "recovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]}


def _topics(aws: Aws) -> Iterator[tuple[str, Described]]:
    for topic in aws.sns.list_topics()["Topics"]:
        attributes = aws.sns.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
        policy = json.loads(attributes.pop("Policy"))
        yield topic["TopicArn"].rsplit(":", 1)[1], {**attributes, "policy": policy}


def _glue_databases(aws: Aws) -> Iterator[tuple[str, Described]]:
    for database in aws.glue.get_databases()["DatabaseList"]:
        yield database["Name"], database


def _glue_jobs(aws: Aws) -> Iterator[tuple[str, Described]]:
    for job in aws.glue.get_jobs()["Jobs"]:
        yield job["Name"], job


def _work_groups(aws: Aws) -> Iterator[tuple[str, Described]]:
    for group in aws.athena.list_work_groups()["WorkGroups"]:
        if group["Name"] != "primary":
            yield group["Name"], aws.athena.get_work_group(WorkGroup=group["Name"])["WorkGroup"]


def _model_groups(aws: Aws) -> Iterator[tuple[str, Described]]:
    for group in aws.sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]:
        yield group["ModelPackageGroupName"], group


def _clusters(aws: Aws) -> Iterator[tuple[str, Described]]:
    arns = aws.ecs.list_clusters()["clusterArns"]
    for cluster in aws.ecs.describe_clusters(clusters=arns, include=["SETTINGS"])["clusters"]:
        yield cluster["clusterName"], cluster


def _services(aws: Aws) -> Iterator[tuple[str, Described]]:
    for cluster in aws.ecs.list_clusters()["clusterArns"]:
        arns = aws.ecs.list_services(cluster=cluster)["serviceArns"]
        for service in aws.ecs.describe_services(cluster=cluster, services=arns)["services"] if arns else []:
            yield service["serviceName"], service


def _task_definitions(aws: Aws) -> Iterator[tuple[str, Described]]:
    for family in aws.ecs.list_task_definition_families(status="ACTIVE")["families"]:
        yield family, aws.ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]


def _load_balancers(aws: Aws) -> Iterator[tuple[str, Described]]:
    for balancer in aws.elbv2.describe_load_balancers()["LoadBalancers"]:
        arn = balancer["LoadBalancerArn"]
        attributes = aws.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        yield (
            balancer["LoadBalancerName"],
            {
                **{field: balancer[field] for field in ("Scheme", "Type", "IpAddressType")},
                "attributes": {one["Key"]: one["Value"] for one in attributes},
            },
        )


def _listeners(aws: Aws) -> Iterator[tuple[str, Described]]:
    """By the name of the target group that a listener forwards to: its port is chosen anew for each cloud."""
    for balancer in aws.elbv2.describe_load_balancers()["LoadBalancers"]:
        for listener in aws.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            group = listener["DefaultActions"][0].get("TargetGroupArn", "none/none").split("/")[1]
            yield group, {"protocol": listener["Protocol"], "action": listener["DefaultActions"][0]["Type"]}


def _target_groups(aws: Aws) -> Iterator[tuple[str, Described]]:
    for group in aws.elbv2.describe_target_groups()["TargetGroups"]:
        attributes = aws.elbv2.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])["Attributes"]
        yield group["TargetGroupName"], {**group, "attributes": {one["Key"]: one["Value"] for one in attributes}}


def _log_groups(aws: Aws) -> Iterator[tuple[str, Described]]:
    for page in aws.logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            yield group["logGroupName"], {"days": group.get("retentionInDays"), "key": group.get("kmsKeyId")}


def _parameters(aws: Aws) -> Iterator[tuple[str, Described]]:
    for parameter in aws.ssm.describe_parameters()["Parameters"]:
        value = aws.ssm.get_parameter(Name=parameter["Name"])["Parameter"]
        yield parameter["Name"], {"type": value["Type"], "value": re.sub(r":\d+$", ":port", value["Value"])}


def _secrets(aws: Aws) -> Iterator[tuple[str, Described]]:
    for secret in aws.secretsmanager.list_secrets()["SecretList"]:
        yield (
            re.sub(r"cluster-.*", "cluster", secret["Name"]),
            {"key": secret.get("KmsKeyId"), "rotation": secret.get("RotationEnabled", False)},
        )


def _alarms(aws: Aws) -> Iterator[tuple[str, Described]]:
    kinds = ["MetricAlarm", "CompositeAlarm"]
    for page in aws.cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=kinds):
        for alarm in (*page["MetricAlarms"], *page["CompositeAlarms"]):
            yield alarm["AlarmName"], alarm


READERS: dict[str, Callable[[Aws], Iterator[tuple[str, Described]]]] = {
    "alarm": _alarms,
    "bucket": _buckets,
    "cluster": _clusters,
    "glue database": _glue_databases,
    "glue job": _glue_jobs,
    "key": _keys,
    "listener": _listeners,
    "load balancer": _load_balancers,
    "log group": _log_groups,
    "model group": _model_groups,
    "parameter": _parameters,
    "prediction log": _prediction_logs,
    "role": _roles,
    "secret": _secrets,
    "service": _services,
    "stream": _streams,
    "table": _tables,
    "target group": _target_groups,
    "task definition": _task_definitions,
    "topic": _topics,
    "work group": _work_groups,
}
