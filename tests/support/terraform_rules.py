"""Rules that a plan must keep. Each returns what breaks it, as lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.support.terraform_plans import Plan, Resource

Rule = Callable[[Plan], list[str]]

# What must be set for a resource to be encrypted with a key of the platform.
ENCRYPTED = {
    "aws_athena_workgroup": ("configuration.0.result_configuration.0.encryption_configuration.0.kms_key_arn",),
    "aws_cloudtrail": ("kms_key_id",),
    "aws_cloudwatch_log_group": ("kms_key_id",),
    "aws_dynamodb_table": ("server_side_encryption.0.enabled", "server_side_encryption.0.kms_key_arn"),
    "aws_ecr_repository": ("encryption_configuration.0.kms_key",),
    "aws_elasticache_replication_group": ("at_rest_encryption_enabled", "transit_encryption_enabled", "kms_key_id"),
    "aws_kinesis_firehose_delivery_stream": ("server_side_encryption.0.enabled",),
    "aws_kinesis_stream": ("kms_key_id",),
    "aws_kms_key": ("enable_key_rotation",),
    "aws_mwaa_environment": ("kms_key",),
    "aws_rds_cluster": ("storage_encrypted", "kms_key_id"),
    "aws_secretsmanager_secret": ("kms_key_id",),
    "aws_sns_topic": ("kms_master_key_id",),
    "aws_sqs_queue": ("kms_master_key_id",),
}
# Each bucket needs one of these resources.
OF_EACH_BUCKET = (
    "aws_s3_bucket_ownership_controls", "aws_s3_bucket_policy", "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration", "aws_s3_bucket_versioning",
)  # fmt: skip
BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
# Attributes that give something an address in the Internet, with the value that they must not have.
PUBLIC = {
    "aws_db_instance": ("publicly_accessible", True),
    "aws_ecs_service": ("network_configuration.0.assign_public_ip", True),
    "aws_lb": ("internal", False),
    "aws_mwaa_environment": ("webserver_access_mode", "PUBLIC_ONLY"),
    "aws_rds_cluster_instance": ("publicly_accessible", True),
    "aws_subnet": ("map_public_ip_on_launch", True),
}
# AWS's own bucket, from which ECR serves the layers of images; anyone may read it.
LAYERS = "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"
ABOVE_THE_BOUNDARY = "nightjar-github-"


def encrypted(plan: Plan) -> list[str]:
    """Everything that holds data is encrypted with a key of the platform; keys rotate."""
    return [
        f"{resource.address}: {path} is not set"
        for resource in plan.of(*ENCRYPTED)
        for path in ENCRYPTED[resource.type]
        if not resource.is_set(path)
    ]


def private(plan: Plan) -> list[str]:
    """Nothing that runs has an address in the Internet."""
    found = []
    for resource in plan.of(*PUBLIC):
        path, forbidden = PUBLIC[resource.type]
        if resource.value(path) == forbidden:
            found.append(f"{resource.address}: {path} is {forbidden}")
    return found


def groups_closed(plan: Plan) -> list[str]:
    """Ingress is by reference to a group or to a list of AWS, never from a range of addresses."""
    found = [
        f"{rule.address}: opens a port to {rule.value(path)}"
        for rule in plan.of("aws_vpc_security_group_ingress_rule")
        for path in ("cidr_ipv4", "cidr_ipv6")
        if rule.value(path)
    ]
    found += [f"{rule.address}: is of a type that takes ranges" for rule in plan.of("aws_security_group_rule")]
    for group in plan.of("aws_security_group", "aws_default_security_group"):
        found += [f"{group.address}: has a rule of its own" for path in ("ingress", "egress") if group.value(path)]
    return found


def buckets_private(plan: Plan) -> list[str]:
    """Each bucket blocks public access, is versioned and encrypted, refuses plain HTTP, and allows everyone nothing."""
    modules = {resource.address.rsplit(".", 2)[0] for resource in plan.of("aws_s3_bucket")}
    found = []
    for kind in OF_EACH_BUCKET:
        having = {resource.address.rsplit(".", 2)[0] for resource in plan.of(kind)}
        found += [f"{module}: has no {kind}" for module in sorted(modules - having)]
    for block in plan.of("aws_s3_bucket_public_access_block"):
        found += [f"{block.address}: {name} is off" for name in BLOCKS if not block.value(name)]
    for policy in plan.of("aws_s3_bucket_policy"):
        statements = policy.statements()
        if statements and not any(_refuses_plain_http(statement) for statement in statements):
            found.append(f"{policy.address}: does not refuse plain HTTP")
        found += [f"{policy.address}: {s.get('Sid')} allows everyone" for s in statements if _allows_everyone(s)]
    return found


def roles_bounded(plan: Plan) -> list[str]:
    """Each role has the permissions boundary, except those of GitHub, which create roles."""
    return [
        f"{role.address}: has no permissions boundary"
        for role in plan.of("aws_iam_role")
        if not role.is_set("permissions_boundary") and not role.values["name"].startswith(ABOVE_THE_BOUNDARY)
    ]


def endpoints_limited(plan: Plan) -> list[str]:
    """The policy of a VPC endpoint admits principals of this account only."""
    return [
        f"{endpoint.address}: {statement['Sid']} admits other accounts"
        for endpoint in plan.of("aws_vpc_endpoint")
        for statement in _or_none(endpoint)
        if not _names_account(statement) and statement.get("Resource") != LAYERS
    ]


def _or_none(endpoint: Resource) -> Iterator[dict[str, Any]]:
    """The statements; an endpoint without a policy admits everyone."""
    yield from endpoint.statements() or [{"Sid": "the default policy"}]


def _names_account(statement: dict[str, Any]) -> bool:
    return "aws:PrincipalAccount" in statement.get("Condition", {}).get("StringEquals", {})


def _refuses_plain_http(statement: dict[str, Any]) -> bool:
    plain = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
    return statement["Effect"] == "Deny" and plain and statement["Action"] == "s3:*"


def _allows_everyone(statement: dict[str, Any]) -> bool:
    return statement["Effect"] == "Allow" and statement.get("Principal") in ("*", {"AWS": "*"})


RULES: tuple[Rule, ...] = (encrypted, private, groups_closed, buckets_private, roles_bounded, endpoints_limited)
