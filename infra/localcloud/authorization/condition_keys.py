"""The condition keys of a request, and who makes it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from wsgiref.types import WSGIEnvironment

from infra.localcloud.authorization import catalog, resource_keys, tables, tags
from infra.localcloud.authorization.context import Computed, RequestContext, Values
from infra.localcloud.authorization.principals import IdentityPolicies, Principal
from infra.localcloud.authorization.signatures import Signature

# Global condition keys that a request may have; those it lacks are known to be absent.
_KNOWN = frozenset(("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "aws:tagkeys", "aws:username",
                    "aws:multifactorauthpresent", "aws:tokenissuetime"))  # fmt: skip


@dataclass(frozen=True)
class Caller:
    """Who asks, and how.

    Attributes:
        signature: None for an anonymous caller.
    """

    principal: Principal
    policies: IdentityPolicies
    signature: Signature | None
    region: str
    account: str


def of_request(caller: Caller, environ: WSGIEnvironment, given: dict[str, str], keys: list[str]) -> RequestContext:
    """The global condition keys of a request."""
    principal = caller.principal
    now = datetime.now(UTC)
    values: dict[str, Values] = {
        # Loopback never leaves the machine; on AWS the same request is made over TLS.
        "aws:securetransport": ("true",),
        "aws:sourceip": (str(environ.get("REMOTE_ADDR", "127.0.0.1")),),
        "aws:currenttime": (now.strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:epochtime": (str(int(time.time())),),
        "aws:requestedregion": (caller.region,),
        "aws:resourceaccount": (caller.account,),
        "aws:principaltype": ({"user": "User", "session": "AssumedRole"}.get(principal.kind, "Anonymous"),),
        "aws:viaawsservice": ("false",),
        "aws:principalisawsservice": ("false",),
        "aws:useragent": (str(environ.get("HTTP_USER_AGENT", "")),),
    }
    if principal.account:
        values["aws:principalaccount"] = (principal.account,)
        values["aws:principalarn"] = (principal.identity_arn,)
        values["aws:userid"] = (principal.arn.rsplit("/", 1)[-1],)
    if principal.kind == "user":
        values["aws:username"] = (principal.user_name,)
    if principal.kind == "session":
        values["aws:multifactorauthpresent"] = ("false",)
    values |= {f"aws:principaltag/{key.lower()}": (value,) for key, value in caller.policies.tags.items()}
    values |= {f"aws:requesttag/{key.lower()}": (value,) for key, value in given.items()}
    if keys:
        values["aws:tagkeys"] = tuple(keys)
    computed = {"aws:principaltag/": lambda _: None, "aws:requesttag/": lambda _: None}
    return RequestContext(values, dict(computed), known=_KNOWN)


def of_ask(context: RequestContext, action: str, resource: str) -> RequestContext:
    """The context of one action on one resource: with the resource's tags, and the keys that the action may have."""
    prefix, _, name = action.partition(":")
    listed = tables.service(prefix).actions.get(name.lower())
    data = catalog.load(prefix)

    def tag(key: str) -> Values | None:
        if not resource.startswith("arn:"):
            return None
        value = tags.of_resource(resource).get(key)
        return None if value is None else (value,)

    of_state: dict[str, Computed] = {
        key: partial(resource_keys.of_state, found, resource)
        for key, found in resource_keys.KEYS.get(prefix, {}).items()
    }
    known = context.known | {key.lower() for key in data.conditions} | (_S3_KNOWN if prefix == "s3" else frozenset())
    known |= {"iam:passedtoservice", "kms:viaservice", "kms:calleraccount"}
    return RequestContext(
        dict(context.values),
        {**context.computed, "aws:resourcetag/": tag, f"{prefix}:resourcetag/": tag, **of_state},
        listed.conditions if listed else frozenset(),
        known,
    )


_S3_KNOWN = frozenset(
    f"s3:{name}"
    for name in (
        *("prefix", "delimiter", "max-keys", "versionid", "if-match", "if-none-match", "authtype", "signatureversion"),
        *("signatureage", "resourceaccount", "requestobjecttagkeys", "object-lock-mode", "object-lock-legal-hold"),
        *("object-lock-retain-until-date", "x-amz-acl", "x-amz-content-sha256", "x-amz-copy-source"),
        *("x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write"),
        *("x-amz-grant-write-acp", "x-amz-metadata-directive", "x-amz-server-side-encryption", "x-amz-storage-class"),
        *("x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-customer-algorithm"),
        *("x-amz-website-redirect-location", "accessgrantsinstancearn", "tlsversion", "dataaccesspointarn"),
        *("dataaccesspointaccount", "accesspointnetworkorigin", "objectcreationoperation"),
    )
)
