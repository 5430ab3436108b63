"""Decides one action on one resource, with AWS's policy evaluation logic.

An explicit deny in any policy wins. Within an account, an identity policy or a resource policy is enough; a key's
policy and a role's trust policy must allow in any case. A permissions boundary and a session policy limit what the
identity policies allow, and what a resource policy grants to a role. Across accounts both sides must allow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from infra.localcloud.authorization.context import RequestContext, UnknownKeyError
from infra.localcloud.authorization.policies import Principals, Statement, parse
from infra.localcloud.authorization.principals import IdentityPolicies, Principal

# How a resource policy names the caller: itself, its role, its account (which leaves the decision to the account's
# identity policies), or not at all.
Match = Literal["itself", "role", "account", "no"]


@dataclass(frozen=True)
class ResourcePolicy:
    """The policy of a resource.

    Attributes:
        name: Its name in messages and records.
        document: Its text; empty if the resource has none.
        required: Whether it must allow, as that of a KMS key and of a role must.
        account: The account of the resource.
    """

    name: str
    document: str
    required: bool = False
    account: str = ""


@dataclass(frozen=True)
class Question:
    """May the principal do the action on the resource?"""

    principal: Principal
    action: str
    resource: str
    context: RequestContext


@dataclass(frozen=True)
class Decision:
    """The answer, with the statement that decided.

    Attributes:
        policy: The name of the policy that decided; empty if none did.
        statement: The Sid or number of the statement; empty if none decided.
        reason: The end of AWS's sentence, such as ``because no identity-based policy allows the x:Y action``.
    """

    allowed: bool
    policy: str = ""
    statement: str = ""
    reason: str = ""


@dataclass
class _Findings:
    """What a set of policies says: the first statement that denies, and those that allow by how they match."""

    denied: tuple[str, str] | None = None
    allowed: dict[Match, tuple[str, str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def decide(question: Question, policies: IdentityPolicies, resource: ResourcePolicy | None) -> Decision:
    """Decides a question.

    Args:
        question: The question.
        policies: The policies of the principal.
        resource: The policy of the resource, if its kind can have one.
    """
    kinds = {
        "identity-based policy": _search(policies.identity, question),
        "resource-based policy": _search([(resource.name, resource.document)] if resource else [], question),
        "permissions boundary": _search([policies.boundary] if policies.boundary else [], question),
        "session policy": _search([policies.session] if policies.session else [], question),
    }
    for kind, findings in kinds.items():
        if findings.denied:
            unknown = f". The local cloud cannot evaluate {findings.unknown[0]}" if findings.unknown else ""
            article = "an" if kind[0] in "aeiou" else "a"
            return Decision(False, *findings.denied, reason=f"with an explicit deny in {article} {kind}{unknown}")
    return _granted(question, policies, resource, kinds)


def denied_by_resource(question: Question, resource: ResourcePolicy) -> Decision | None:
    """The explicit deny of a resource's policy, which binds an account's root user too; None if it has none."""
    findings = _search([(resource.name, resource.document)], question)
    if findings.denied is None:
        return None
    return Decision(False, *findings.denied, reason="with an explicit deny in a resource-based policy")


def _granted(
    question: Question, policies: IdentityPolicies, resource: ResourcePolicy | None, kinds: dict[str, _Findings]
) -> Decision:
    identity = kinds["identity-based policy"].allowed.get("itself")
    by_resource = kinds["resource-based policy"].allowed
    foreign = bool(resource and resource.account and resource.account != question.principal.account)
    direct = by_resource.get("itself") or by_resource.get("role")
    if resource and foreign:
        if not (direct or by_resource.get("account")):
            return _refused(question, "resource-based policy", kinds)
        direct = direct if question.principal.kind == "anonymous" else None
    elif resource and resource.required and not direct and not by_resource.get("account"):
        return _refused(question, "resource-based policy", kinds)
    if direct and by_resource.get("itself"):
        return Decision(True, *direct)
    granted = direct or identity
    if granted is None:
        return _refused(question, "identity-based policy", kinds)
    for kind, limit in (("permissions boundary", policies.boundary), ("session policy", policies.session)):
        if limit and not kinds[kind].allowed:
            return _refused(question, kind, kinds)
    return Decision(True, *granted)


def _refused(question: Question, kind: str, kinds: dict[str, _Findings]) -> Decision:
    reason = f"because no {kind} allows the {question.action} action"
    unknown = [text for findings in kinds.values() for text in findings.unknown]
    if unknown:
        reason += f". The local cloud cannot evaluate {unknown[0]} in a policy, so its statement does not count"
    return Decision(False, reason=reason)


def _search(documents: Iterable[tuple[str, str]], question: Question) -> _Findings:
    findings = _Findings()
    for name, document in documents:
        for statement in parse(document):
            match, unknown = _verdict(statement, question)
            if unknown:
                findings.unknown.append(unknown)
            if match == "no":
                continue
            if not statement.allows:
                findings.denied = (name, statement.label)
                return findings
            findings.allowed.setdefault(match, (name, statement.label))
    return findings


def _verdict(statement: Statement, question: Question) -> tuple[Match, str]:
    """How a statement is about the question, and what in it cannot be evaluated.

    A statement that cannot be evaluated never allows, and a deny is taken to deny.
    """
    if not statement.actions.matches(question.action, question.context):
        return "no", ""
    match = "itself" if statement.principals is None else _names(statement.principals, question.principal)
    if match == "no":
        return "no", ""
    unknown = ""
    try:
        if statement.resources and not statement.resources.matches(question.resource, question.context):
            return "no", ""
    except UnknownKeyError as error:
        unknown = str(error)
    for condition in statement.conditions:
        try:
            if not condition.satisfied(question.context):
                return "no", ""
        except UnknownKeyError as error:
            unknown = str(error)
    return ("no" if unknown and statement.allows else match), unknown


def _names(principals: Principals, caller: Principal) -> Match:
    found: Match = "no"
    for kind, names in principals.values.items():
        for name in names:
            match = _match(kind, name, caller)
            if match == "itself":
                found = match
                break
            found = match if match != "no" else found
    if principals.negated:
        return "itself" if found == "no" else "no"
    return found


def _match(kind: str, name: str, caller: Principal) -> Match:
    if kind != "AWS":
        return "itself" if caller.kind == "service" and kind == "Service" and name == caller.arn else "no"
    if name == "*" or name == caller.arn:
        return "itself" if caller.kind != "service" else "no"
    if name == caller.identity_arn:
        return "role"
    if caller.account and name in (caller.account, f"arn:aws:iam::{caller.account}:root"):
        return "account"
    return "no"
