"""What a request is in IAM's terms: the actions that it needs, their resources, and its condition keys."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import WSGIEnvironment

from infra.localcloud.authorization import (
    catalog,
    condition_keys,
    members,
    request_tags,
    resources,
    s3_keys,
    s3_requests,
    service_keys,
    tables,
)
from infra.localcloud.authorization.condition_keys import Caller
from infra.localcloud.authorization.context import RequestContext, Values
from infra.localcloud.authorization.signatures import instant
from infra.localcloud.request import AwsRequest

_WHOLE_ARNS = (
    "ResourceArn",
    "resourceArn",
    "ResourceARN",
    "ResourceArns",
    "ResourceArnList",
    "ResourceName",
    "Resource",
    "Arn",
    "arn",
)
_READS = ("Get", "List", "Describe", "BatchGet", "Search")


@dataclass(frozen=True)
class Ask:
    """One action on one resource that must be allowed."""

    action: str
    resource: str
    context: RequestContext


def asks(request: AwsRequest, environ: WSGIEnvironment, caller: Caller) -> list[Ask]:
    """The actions and resources of a request; none if the local cloud does not know its action."""
    if request.service == "s3" and request.protocol == "rest-xml" and not request.control:
        return _of_s3(request, environ, caller)
    return _of_service(request, environ, caller)


def note(request: AwsRequest) -> str:
    """What the resources of a request are not found for; empty if they are."""
    if request.service in ("s3", "apigateway") or catalog.load(request.service).known:
        return ""
    return f"No data file says where {request.service} names its resources: * was asked for"


# --- S3 ------------------------------------------------------------------------------------------------------------


def _of_s3(request: AwsRequest, environ: WSGIEnvironment, caller: Caller) -> list[Ask]:
    labels = request.labels
    s3 = s3_requests.S3Request(
        request.action, labels.get("Bucket", ""), labels.get("Key", ""), environ, caller.region, caller.account
    )
    given, keys = request_tags.given({}, environ.get("HTTP_X_AMZ_TAGGING", ""))
    context = condition_keys.of_request(caller, environ, given, keys)
    context.values.update(_s3_values(s3, caller, given))
    found = [
        Ask(action, resource, condition_keys.of_ask(context, action, resource))
        for action, resource in dict.fromkeys(s3_requests.asks(s3))
    ]
    for use in s3_keys.uses(s3):
        values = _through(f"s3.{caller.region}.amazonaws.com", caller)
        values["kms:encryptioncontext:aws:s3:arn"] = (use.encrypted,)
        found.append(Ask(use.action, use.key, condition_keys.of_ask(context.with_values(values), use.action, use.key)))
    return found


def _through(service: str, caller: Caller) -> dict[str, Values]:
    """The condition keys of a key that a service uses for the caller."""
    return {"kms:viaservice": (service,), "kms:calleraccount": (caller.account,)}


def _s3_values(request: s3_requests.S3Request, caller: Caller, given: dict[str, str]) -> dict[str, Values]:
    environ = request.environ
    values: dict[str, Values] = {"s3:resourceaccount": (caller.account,)}
    for name, value in environ.items():
        if name.startswith(("HTTP_X_AMZ_", "HTTP_IF_")):
            values[f"s3:{name[5:].lower().replace('_', '-')}"] = (str(value),)
    for parameter in ("prefix", "delimiter", "max-keys", "versionId"):
        if parameter in request.query:
            values[f"s3:{parameter.lower()}"] = (request.query[parameter][0],)
    for name in ("mode", "retain-until-date", "legal-hold"):
        header = values.get(f"s3:x-amz-object-lock-{name}")
        if header:
            values[f"s3:object-lock-{name}"] = header
    if creates := s3_requests.creates_object(request):
        values["s3:objectcreationoperation"] = (creates,)
    if signature := caller.signature:
        values["s3:authtype"] = ("REST-QUERY-STRING" if signature.seconds else "REST-HEADER",)
        values["s3:signatureversion"] = ("AWS4-HMAC-SHA256",)
        age = datetime.now(UTC) - instant(signature.time)
        values["s3:signatureage"] = (str(int(age.total_seconds() * 1000)),)
    values |= {f"s3:requestobjecttag/{key.lower()}": (value,) for key, value in given.items()}
    if given:
        values["s3:requestobjecttagkeys"] = tuple(given)
    return values


# --- other services ------------------------------------------------------------------------------------------------


def _of_service(request: AwsRequest, environ: WSGIEnvironment, caller: Caller) -> list[Ask]:
    data, table = catalog.load(request.service), tables.service(request.service)
    values = _members(request, environ)
    name = data.rename.get(request.action, request.action)
    if request.service == "apigateway":
        return _of_verb(environ, caller)
    scope = resources.Scope(caller.region, caller.account, environ.get("PATH_INFO", ""))
    given, keys = request_tags.given(values, "")
    context = condition_keys.of_request(caller, environ, given, keys)
    context.values.update(_conditions(data, table, values, scope))
    found: list[Ask] = []
    for asked in data.actions.get(request.action) or data.actions.get(name) or (catalog.Asked("", None),):
        action = table.actions.get((asked.action or name).lower())
        if action is None:
            continue
        spec = asked.resources
        if spec is None:
            spec = {kind: data.resources[kind] for kind in action.types if kind in data.resources}
        named = resources.arns(spec, data, table, values, scope) or _whole_arn(request.service, values)
        if asked.action and spec and not named:
            continue  # a batch without items of this action
        full = f"{request.service}:{action.name}"
        found += [Ask(full, arn, condition_keys.of_ask(context, full, arn)) for arn in named or ["*"]]
    if found and keys and data.tag_on_create and name not in data.tag_on_create:
        found += _tagged(request.service, data.tag_on_create, name, found, context)
    for use, key, through in service_keys.uses([(a.action, a.resource) for a in found], caller.region, caller.account):
        found.append(Ask(use, key, condition_keys.of_ask(context.with_values(_through(through, caller)), use, key)))
    if found and not name.startswith(_READS):
        found += _passed_roles(data, values, caller, context)
    return found


def _members(request: AwsRequest, environ: WSGIEnvironment) -> dict[str, Any]:
    """The members of a request from its body, its query and its path."""
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(body)
    query = environ.get("QUERY_STRING", "")
    if request.protocol in ("query", "ec2"):
        return members.of_form("&".join(part for part in (query, body.decode("utf-8", "replace")) if part))
    values = members.of_json(body)
    if request.protocol.startswith("rest"):
        return {**values, **members.of_form(query), **request.labels}
    return values


def _of_verb(environ: WSGIEnvironment, caller: Caller) -> list[Ask]:
    """API Gateway's control plane: the action is the HTTP method, the resource the path."""
    action = f"apigateway:{environ['REQUEST_METHOD']}"
    arn = f"arn:aws:apigateway:{caller.region}::{environ.get('PATH_INFO', '/')}"
    return [Ask(action, arn, condition_keys.of_ask(condition_keys.of_request(caller, environ, {}, []), action, arn))]


def _whole_arn(service: str, values: members.Members) -> list[str]:
    """The ARN of the service in a member such as ResourceArn, for actions whose resources may be of any type."""
    for name in _WHOLE_ARNS:
        found = [text for text in members.texts(values, name) if text.startswith(f"arn:aws:{service}:")]
        if found:
            return found
    return []


def _tagged(
    service: str, tag_on_create: Mapping[str, str], name: str, found: list[Ask], context: RequestContext
) -> list[Ask]:
    """The tagging that creating a resource with tags includes."""
    asked = []
    for action, key in tag_on_create.items():
        tagging, full = context.with_values({key.lower(): (name,)}), f"{service}:{action}"
        asked += [Ask(full, ask.resource, condition_keys.of_ask(tagging, full, ask.resource)) for ask in found]
    return asked


def _passed_roles(
    data: catalog.ServiceData, values: members.Members, caller: Caller, context: RequestContext
) -> Iterable[Ask]:
    for service, paths in data.pass_role.items():
        for role in dict.fromkeys(text for path in paths for text in members.texts(values, path)):
            arn = role if role.startswith("arn:") else f"arn:aws:iam::{caller.account}:role/{role}"
            passed = context.with_values({"iam:passedtoservice": (service,)})
            yield Ask("iam:PassRole", arn, condition_keys.of_ask(passed, "iam:PassRole", arn))


def _conditions(
    data: catalog.ServiceData, table: tables.Service, values: members.Members, scope: resources.Scope
) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for key, entry in data.conditions.items():
        texts = [text for path in entry.members for text in members.scalars(values, path)]
        if entry.arn:
            whole = [text for text in texts if text.startswith("arn:")]
            names = {"_": [text for text in texts if text not in whole]}
            texts = whole + resources.arns({entry.arn: (("_",),)}, data, table, names, scope)
        if texts:
            found[key.lower()] = tuple(texts)
    return found
