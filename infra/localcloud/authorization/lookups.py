"""Resources that a request names only indirectly: found in the state of the service.

Each function gets the members of the request and returns names or ARNs.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from moto.backends import get_backend

from infra.localcloud.authorization.members import Members, texts


@dataclass(frozen=True)
class _Request:
    values: Members
    region: str
    account: str
    path: str

    def backend(self, service: str, *, everywhere: bool = False) -> Any:
        """The backend of a service."""
        backends: Any = get_backend(service)  # type: ignore[call-overload]  # one overload for each literal name
        return backends[self.account]["aws" if everywhere else self.region]

    def texts(self, *paths: str) -> list[str]:
        return [text for path in paths for text in texts(self.values, path)]


_Lookup = Callable[[_Request], Iterable[str]]


def find(name: str, values: Members, region: str, account: str, path: str) -> list[str]:
    """Calls a lookup by its name in the data files."""
    return [value for value in _LOOKUPS[name](_Request(values, region, account, path)) if value]


# --- Athena --------------------------------------------------------------------------------------------------------


def _workgroup_of_query(request: _Request) -> Iterable[str]:
    queries = getattr(request.backend("athena"), "queries", {})  # moto's own backend has none
    for query in request.texts("QueryExecutionId", "QueryExecutionIds"):
        if query in queries:
            yield str(queries[query].request.work_group)


def _workgroup_of_named_query(request: _Request) -> Iterable[str]:
    named = request.backend("athena").named_queries
    for query in request.texts("NamedQueryId", "NamedQueryIds"):
        if query in named:
            workgroup = named[query].workgroup
            yield str(getattr(workgroup, "name", workgroup))


# --- DynamoDB and Kinesis ------------------------------------------------------------------------------------------


def _dynamodb_stream_of_iterator(request: _Request) -> Iterable[str]:
    for iterator in request.texts("ShardIterator"):
        yield iterator.partition("|")[0]


def _table_of_stream(request: _Request) -> Iterable[str]:
    for arn in request.texts("StreamArn"):
        yield arn.partition("/stream/")[0]


_PARTIQL = {
    "select": re.compile(r'^\s*select\b.*?\bfrom\s+"?([\w.-]+)"?', re.IGNORECASE | re.DOTALL),
    "insert": re.compile(r'^\s*insert\s+into\s+"?([\w.-]+)"?', re.IGNORECASE),
    "update": re.compile(r'^\s*update\s+"?([\w.-]+)"?', re.IGNORECASE),
    "delete": re.compile(r'^\s*delete\s+from\s+"?([\w.-]+)"?', re.IGNORECASE),
}


def _partiql(verb: str) -> _Lookup:
    def tables(request: _Request) -> Iterable[str]:
        for statement in request.texts("Statement", "Statements[].Statement", "TransactStatements[].Statement"):
            if match := _PARTIQL[verb].match(statement):
                yield match[1]

    return tables


def _stream_of_token(request: _Request) -> Iterable[str]:
    """The stream of a shard iterator or a list token; both contain its name, encoded."""
    for token in request.texts("ShardIterator", "NextToken"):
        text = _decoded(token)
        for name in list(request.backend("kinesis").streams):
            if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", text):
                yield name


def _decoded(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("utf-8", "replace")
    except ValueError:
        return ""


# --- ECS and SageMaker ---------------------------------------------------------------------------------------------


def _task_definition(request: _Request) -> Iterable[str]:
    for name in request.texts("taskDefinition"):
        if name.startswith("arn:") or ":" in name:
            yield name
            continue
        revisions = request.backend("ecs").task_definitions.get(name, {})
        yield f"{name}:{max(revisions)}" if revisions else f"{name}:*"


def _new_task_definition(request: _Request) -> Iterable[str]:
    for family in request.texts("family"):
        yield f"{family}:*"


def _of_deployment(part: int) -> _Lookup:
    def names(request: _Request) -> Iterable[str]:
        for arn in request.texts("serviceDeploymentArn", "serviceDeploymentArns"):
            parts = arn.split("/")
            if len(parts) > part:
                yield parts[part]

    return names


def _new_model_package(request: _Request) -> Iterable[str]:
    yield from request.texts("ModelPackageName")
    for group in request.texts("ModelPackageGroupName"):
        yield f"{group.rsplit('/', 1)[-1]}/*"


# --- IAM -----------------------------------------------------------------------------------------------------------


def _iam(member: str, entities: str) -> _Lookup:
    def arns(request: _Request) -> Iterable[str]:
        stored = getattr(request.backend("iam", everywhere=True), entities).values()
        for name in request.texts(member):
            yield next((entity.arn for entity in list(stored) if entity.name == name), name)

    return arns


def _new_iam(member: str, kind: str) -> _Lookup:
    def arns(request: _Request) -> Iterable[str]:
        for name in request.texts(member):
            path = next(iter(request.texts("Path")), "/")
            yield f"arn:aws:iam::{request.account}:{kind}{path}{name}"

    return arns


def _new_oidc_provider(request: _Request) -> Iterable[str]:
    for url in request.texts("Url"):
        yield url.partition("://")[2]


def _new_service_linked_role(request: _Request) -> Iterable[str]:
    for service in request.texts("AWSServiceName"):
        yield f"aws-service-role/{service}/*"


# --- Route 53 and SSM -------------------------------------------------------------------------------------------------


def _tagged(kind: str) -> _Lookup:
    def names(request: _Request) -> Iterable[str]:
        if kind in request.texts("ResourceType"):
            yield from request.texts("ResourceId")

    return names


# --- EC2 and WAF ---------------------------------------------------------------------------------------------------

_EC2_TYPES = {
    "ami": "image",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "fl": "vpc-flow-log",
    "i": "instance",
    "igw": "internet-gateway",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
_WAF_SCOPES = {"CLOUDFRONT": "global", "REGIONAL": "regional"}


def _ec2_resource(request: _Request) -> Iterable[str]:
    """The type of a resource is the first part of its id; of one that is not listed, every type is asked for."""
    for name in request.texts("ResourceId"):
        yield f"{_EC2_TYPES.get(name.partition('-')[0], '*')}/{name}"


def _waf_scope(request: _Request) -> Iterable[str]:
    for scope in request.texts("Scope"):
        yield _WAF_SCOPES.get(scope, "*")


def _waf_managed_groups(request: _Request) -> Iterable[str]:
    """WAF asks for all managed rule groups at once if a rule refers to one."""
    if request.texts("Rules[].Statement.ManagedRuleGroupStatement.Name"):
        yield "*"


# --- KMS, Secrets Manager, SSM, Logs ------------------------------------------------------------------------------


def _keys(*paths: str) -> _Lookup:
    def arns(request: _Request) -> Iterable[str]:
        for name in request.texts(*paths):
            yield key_arn(name, request.region, request.account)

    return arns


def key_arn(name: str, region: str, account: str) -> str:
    """The ARN of a KMS key by its id, ARN or alias; the name itself if there is no such key."""
    backend = _Request({}, region, account, "").backend("kms")
    alias = backend.get_alias_name(name)
    if alias.startswith("alias/"):
        found = next((key for key in list(backend.keys.values()) if alias in key.aliases), None)
    else:
        found = backend.keys.get(backend.get_key_id(name))
    return str(found.arn) if found else name


def _alias(request: _Request) -> Iterable[str]:
    for name in request.texts("AliasName"):
        yield name.removeprefix("alias/")


def _key(request: _Request) -> Iterable[str]:
    yield from _keys("KeyId", "TargetKeyId")(request)
    for name in request.texts("AliasName"):
        arn = key_arn(name, request.region, request.account)
        if arn != name and not request.texts("TargetKeyId"):
            yield arn
    if not request.texts("KeyId", "TargetKeyId", "AliasName"):
        yield from _key_of_ciphertext(request, "CiphertextBlob")


def _key_of_ciphertext(request: _Request, member: str) -> Iterable[str]:
    """Moto's ciphertext begins with the id of its key."""
    for blob in request.texts(member):
        try:
            yield key_arn(base64.b64decode(blob)[:36].decode("ascii", "replace"), request.region, request.account)
        except ValueError:
            return


def _source_key(request: _Request) -> Iterable[str]:
    named = list(_keys("SourceKeyId")(request))
    return named or _key_of_ciphertext(request, "CiphertextBlob")


def _secret(request: _Request) -> Iterable[str]:
    secrets = request.backend("secretsmanager").secrets
    for name in request.texts("SecretId", "SecretIdList"):
        secret = secrets.get(name)
        yield str(secret.arn) if secret else name


def _log_group(request: _Request) -> Iterable[str]:
    members = ("logGroupName", "logGroupIdentifier", "logGroupNames", "logGroupIdentifiers")
    for name in request.texts(*members):
        yield name.partition(":log-group:")[2].removesuffix(":*") if name.startswith("arn:") else name


# --- Lambda, SNS, SQS, EventBridge ---------------------------------------------------------------------------------


def _function_of_mapping(request: _Request) -> Iterable[str]:
    mappings = request.backend("lambda")._event_source_mappings  # moto keeps them there only
    for uuid in request.texts("UUID"):
        if uuid in mappings:
            yield str(mappings[uuid].function_arn)


def _topic_of_subscription(request: _Request) -> Iterable[str]:
    for arn in request.texts("SubscriptionArn"):
        yield arn.rsplit(":", 1)[0]


def _queue_of_path(request: _Request) -> Iterable[str]:
    yield request.path.rstrip("/").rsplit("/", 1)[-1]


def _rule_on_bus(request: _Request) -> Iterable[str]:
    bus = next(iter(request.texts("EventBusName")), "default").rsplit("/", 1)[-1]
    for name in request.texts("Name", "Rule"):
        yield name if bus == "default" else f"{bus}/{name}"


_LOOKUPS: dict[str, _Lookup] = {
    "workgroup_of_query": _workgroup_of_query,
    "workgroup_of_named_query": _workgroup_of_named_query,
    "dynamodb_stream_of_iterator": _dynamodb_stream_of_iterator,
    "table_of_stream": _table_of_stream,
    **{f"partiql_{verb}": _partiql(verb) for verb in _PARTIQL},
    "stream_of_iterator": _stream_of_token,
    "stream_of_list_token": _stream_of_token,
    "task_definition": _task_definition,
    "new_task_definition": _new_task_definition,
    "ecs_cluster_of_deployment": _of_deployment(1),
    "ecs_service_of_deployment": _of_deployment(2),
    "new_model_package": _new_model_package,
    "iam_role": _iam("RoleName", "roles"),
    "iam_user": _iam("UserName", "users"),
    "iam_group": _iam("GroupName", "groups"),
    "new_iam_role": _new_iam("RoleName", "role"),
    "new_iam_user": _new_iam("UserName", "user"),
    "new_iam_group": _new_iam("GroupName", "group"),
    "new_iam_policy": _new_iam("PolicyName", "policy"),
    "new_oidc_provider": _new_oidc_provider,
    "new_service_linked_role": _new_service_linked_role,
    "tagged_zone": _tagged("hostedzone"),
    "tagged_health_check": _tagged("healthcheck"),
    "ec2_resource": _ec2_resource,
    "waf_scope": _waf_scope,
    "waf_managed_groups": _waf_managed_groups,
    "kms_key": _key,
    "kms_alias": _alias,
    "kms_source_key": _source_key,
    "kms_destination_key": _keys("DestinationKeyId"),
    "secret": _secret,
    "ssm_resource": _tagged("Parameter"),
    "log_group": _log_group,
    "function_of_mapping": _function_of_mapping,
    "topic_of_subscription": _topic_of_subscription,
    "queue_of_path": _queue_of_path,
    "rule_on_bus": _rule_on_bus,
}
