"""infra/localcloud/authorization/evaluation.py against AWS's documented evaluation logic."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.localcloud.authorization.context import RequestContext
from infra.localcloud.authorization.evaluation import Decision, Question, ResourcePolicy, decide
from infra.localcloud.authorization.principals import ANONYMOUS, IdentityPolicies, Principal

ACCOUNT = "123456789012"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/nightly"
SESSION_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/nightly/run"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/ann"
SESSION = Principal("session", SESSION_ARN, ACCOUNT, ROLE_ARN)
USER = Principal("user", USER_ARN, ACCOUNT, USER_ARN, "ann")
FOREIGN = Principal(
    "user", "arn:aws:iam::999999999999:user/eve", "999999999999", "arn:aws:iam::999999999999:user/eve", "eve"
)
SERVICE = Principal("service", "glue.amazonaws.com", ACCOUNT)
GET, BUCKET, OBJECT = "s3:GetObject", "arn:aws:s3:::lake", "arn:aws:s3:::lake/raw/a.json"


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def allow(action: Any = GET, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = GET, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def judged(
    *identity: dict[str, Any],
    action: str = GET,
    resource: str = OBJECT,
    caller: Principal = SESSION,
    bucket: dict[str, Any] | None = None,
    required: bool = False,
    boundary: dict[str, Any] | None = None,
    session: dict[str, Any] | None = None,
    version: str = "2012-10-17",
    **values: str,
) -> Decision:
    """The decision about one action of a caller with one identity policy."""
    policies = IdentityPolicies(
        [("own", document(*identity, version=version))] if identity else [],
        ("limit", document(boundary)) if boundary else None,
        ("session", document(session)) if session else None,
    )
    context = RequestContext(
        {key.replace("__", ":"): (value,) for key, value in values.items()}, known=frozenset(["aws:username"])
    )
    resource_policy = ResourcePolicy("bucket policy", document(bucket), required, ACCOUNT) if bucket else None
    if required and not bucket:
        resource_policy = ResourcePolicy("key policy", "", required, ACCOUNT)
    return decide(Question(caller, action, resource, context), policies, resource_policy)


TO_ROLE = allow(Principal={"AWS": ROLE_ARN})
TO_SESSION = allow(Principal={"AWS": SESSION_ARN})
TO_ACCOUNT = allow(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
TO_ALL = allow(Principal="*")
DENY_ALL = deny(Principal="*")
OTHER = allow("s3:PutObject")

CASES: list[tuple[str, bool, dict[str, Any]]] = [
    ("nothing allows: implicit deny", False, {}),
    ("an identity policy allows", True, {"identity": [allow()]}),
    ("actions are compared without case", True, {"identity": [allow("S3:getobject")]}),
    ("an action may have wildcards", True, {"identity": [allow("s3:Get*")]}),
    ("a question mark is one character", True, {"identity": [allow("s3:GetObjec?")]}),
    ("an action of another service", False, {"identity": [allow("glue:*")]}),
    ("everything", True, {"identity": [allow("*")]}),
    ("resources are compared with case", False, {"identity": [allow(resource="arn:aws:s3:::LAKE/*")]}),
    ("a resource pattern spans slashes", True, {"identity": [allow(resource="arn:aws:s3:::lake/*")]}),
    ("a resource pattern of another prefix", False, {"identity": [allow(resource="arn:aws:s3:::lake/staging/*")]}),
    ("the bucket is not its objects", False, {"identity": [allow(resource=BUCKET)]}),
    ("a wildcard before the last part spans no colon", False,
     {"identity": [allow("sqs:*", "arn:aws:sqs:*:jobs")], "action": "sqs:SendMessage",
      "resource": "arn:aws:sqs:us-east-1:123456789012:jobs"}),
    ("an ARN with too few parts matches nothing", False, {"identity": [allow(resource="arn:aws:s3*")]}),
    ("NotAction", True, {"identity": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}),
    ("NotAction of this action", False, {"identity": [{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}]}),
    ("NotResource", True, {"identity": [{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::other/*"}]}),
    ("NotResource of this resource", False,
     {"identity": [{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::lake/*"}]}),
    ("an explicit deny wins", False, {"identity": [allow(), deny()]}),
    ("a deny of another resource", True, {"identity": [allow(), deny(resource="arn:aws:s3:::lake/raw/b*")]}),
    ("a deny in the bucket policy wins", False, {"identity": [allow()], "bucket": DENY_ALL}),
    ("a bucket policy is enough in the account: the role", True, {"bucket": TO_ROLE}),
    ("a bucket policy is enough in the account: the session", True, {"bucket": TO_SESSION}),
    ("a bucket policy for the account leaves it to identity policies", False, {"bucket": TO_ACCOUNT}),
    ("and those allow", True, {"bucket": TO_ACCOUNT, "identity": [allow()]}),
    ("a bucket policy for everybody", True, {"bucket": TO_ALL}),
    ("a bucket policy for another role", False, {"bucket": allow(Principal={"AWS": f"{ROLE_ARN}-2"})}),
    ("a bucket policy for a user", True, {"bucket": allow(Principal={"AWS": USER_ARN}), "caller": USER}),
    ("NotPrincipal spares the named", True,
     {"identity": [allow()], "bucket": deny(NotPrincipal={"AWS": [ROLE_ARN, SESSION_ARN]})}),
    ("NotPrincipal denies the others", False,
     {"identity": [allow()], "bucket": deny(NotPrincipal={"AWS": USER_ARN})}),
    ("anonymous, and nothing is public", False, {"caller": ANONYMOUS, "bucket": TO_ACCOUNT}),
    ("anonymous, and the bucket is public", True, {"caller": ANONYMOUS, "bucket": TO_ALL}),
    ("a boundary limits", False, {"identity": [allow()], "boundary": OTHER}),
    ("a boundary allows nothing by itself", False, {"boundary": allow()}),
    ("both identity policy and boundary allow", True, {"identity": [allow()], "boundary": allow()}),
    ("a deny in the boundary", False, {"identity": [allow()], "boundary": deny()}),
    ("a boundary limits what a bucket policy grants a role", False, {"bucket": TO_ROLE, "boundary": OTHER}),
    ("but not what it grants a session", True, {"bucket": TO_SESSION, "boundary": OTHER}),
    ("nor what it grants a user", True,
     {"bucket": allow(Principal={"AWS": USER_ARN}), "caller": USER, "boundary": OTHER}),
    ("a session policy limits", False, {"identity": [allow()], "session": OTHER}),
    ("both identity and session policy allow", True, {"identity": [allow()], "session": allow("s3:*")}),
    ("a session policy limits what a bucket policy grants a role", False, {"bucket": TO_ROLE, "session": OTHER}),
    ("but not what it grants the session", True, {"bucket": TO_SESSION, "session": OTHER}),
    ("boundary and session policy must both allow", False,
     {"identity": [allow()], "boundary": allow(), "session": OTHER}),
    ("a key policy must allow", False, {"identity": [allow()], "required": True}),
    ("a key policy that names the role is enough", True, {"bucket": TO_ROLE, "required": True}),
    ("a key policy that names the account leaves it to identity policies", True,
     {"identity": [allow()], "bucket": TO_ACCOUNT, "required": True}),
    ("which must allow", False, {"bucket": TO_ACCOUNT, "required": True}),
    ("a key policy for another role", False,
     {"identity": [allow()], "bucket": allow(Principal={"AWS": USER_ARN}), "required": True}),
    ("another account needs both sides: only its own", False,
     {"caller": FOREIGN, "identity": [allow()], "bucket": TO_ROLE}),
    ("another account needs both sides: only the bucket's", False, {"caller": FOREIGN, "bucket": TO_ALL}),
    ("another account with both sides", True,
     {"caller": FOREIGN, "identity": [allow()], "bucket": allow(Principal={"AWS": "999999999999"})}),
    ("a service that the policy names", True,
     {"caller": SERVICE, "bucket": allow(Principal={"Service": "glue.amazonaws.com"}), "required": True}),
    ("a service that it does not name", False,
     {"caller": SERVICE, "bucket": allow(Principal={"Service": "ecs.amazonaws.com"}), "required": True}),
    ("everybody is no service", False, {"caller": SERVICE, "bucket": TO_ALL, "required": True}),
    ("a variable with the caller's name", True,
     {"caller": USER, "identity": [allow(resource="arn:aws:s3:::lake/raw/${aws:username}.json")],
      "resource": "arn:aws:s3:::lake/raw/ann.json", "aws__username": "ann"}),
    ("a variable with another name", False,
     {"caller": USER, "identity": [allow(resource="arn:aws:s3:::lake/raw/${aws:username}.json")],
      "aws__username": "bob"}),
    ("a variable without a value matches nothing", False,
     {"identity": [allow(resource="arn:aws:s3:::lake/${aws:username}*")]}),
    ("a variable's default", True,
     {"identity": [allow(resource="arn:aws:s3:::lake/${aws:username, 'raw'}/*")]}),
    ("a variable's value is no pattern", False,
     {"identity": [allow(resource="arn:aws:s3:::lake/${aws:username}")], "aws__username": "*"}),
    ("an escaped star is a star", False, {"identity": [allow(resource="arn:aws:s3:::lake/${*}")]}),
    ("before version 2012-10-17 a variable is text", False,
     {"identity": [allow(resource="arn:aws:s3:::lake/raw/${aws:username}.json")], "version": "2008-10-17",
      "resource": "arn:aws:s3:::lake/raw/ann.json", "aws__username": "ann"}),
    ("a condition that holds", True,
     {"identity": [allow(Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})],
      "aws__requestedregion": "us-east-1"}),
    ("a condition that does not hold", False,
     {"identity": [allow(Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})],
      "aws__requestedregion": "us-east-1"}),
    ("all conditions must hold", False,
     {"identity": [allow(Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1", "aws:username": "ann"}})],
      "aws__requestedregion": "us-east-1"}),
    ("an Allow with an unknown key does not count", False,
     {"identity": [allow(Condition={"StringEquals": {"aws:Unheard": "x"}})]}),
    ("an Allow with an unknown operator does not count", False,
     {"identity": [allow(Condition={"StringResembles": {"aws:username": "x"}})], "aws__username": "x"}),
    ("a Deny with an unknown key denies", False,
     {"identity": [allow(), deny(Condition={"StringEquals": {"aws:Unheard": "x"}})]}),
    ("unless another of its conditions is false", True,
     {"identity": [allow(), deny(Condition={"StringEquals": {"aws:Unheard": "x", "aws:username": "bob"}})],
      "aws__username": "ann"}),
    ("another statement may allow", True,
     {"identity": [allow(Condition={"StringEquals": {"aws:Unheard": "x"}}), allow()]}),
]  # fmt: skip


@pytest.mark.parametrize(("allowed", "case"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_decision(allowed: bool, case: dict[str, Any]) -> None:
    options = dict(case)
    decision = judged(*options.pop("identity", []), **options)
    assert decision.allowed == allowed, decision


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "because no identity-based policy allows the s3:GetObject action"),
        ({"identity": [deny()]}, "with an explicit deny in an identity-based policy"),
        ({"bucket": DENY_ALL}, "with an explicit deny in a resource-based policy"),
        ({"identity": [allow()], "boundary": OTHER}, "because no permissions boundary allows the s3:GetObject action"),
        ({"identity": [allow()], "session": OTHER}, "because no session policy allows the s3:GetObject action"),
        ({"identity": [allow()], "required": True}, "because no resource-based policy allows the s3:GetObject action"),
    ],
)
def test_the_reason_is_in_the_words_of_aws(options: dict[str, Any], reason: str) -> None:
    assert judged(*options.pop("identity", []), **options).reason == reason


def test_the_statement_that_decides_is_named() -> None:
    decision = judged(allow("s3:PutObject"), allow(Sid="ReadTheLake"))
    assert (decision.policy, decision.statement) == ("own", "ReadTheLake")
    decision = judged(allow("s3:PutObject"), deny())
    assert (decision.policy, decision.statement) == ("own", "2")


def test_what_cannot_be_evaluated_is_named() -> None:
    decision = judged(allow(Condition={"StringEquals": {"aws:Unheard": "x"}}))
    assert "The local cloud cannot evaluate the condition key aws:Unheard" in decision.reason
    decision = judged(allow(), deny(Condition={"Resembles": {"aws:username": "x"}}))
    assert "The local cloud cannot evaluate the condition operator Resembles" in decision.reason
    decision = judged(allow(resource="arn:aws:s3:::lake/${aws:Unheard}"))
    assert not decision.allowed
    assert "The local cloud cannot evaluate the condition key aws:Unheard" in decision.reason
    assert not judged(allow(), deny(resource="arn:aws:s3:::lake/${aws:Unheard}")).allowed


@pytest.mark.parametrize("text", ["", "{", "[]", '{"Statement": "x"}', '{"Statement": [1]}', '{"Statement": [{}]}'])
def test_a_document_that_is_no_policy_allows_nothing(text: str) -> None:
    question = Question(SESSION, GET, OBJECT, RequestContext())
    assert not decide(question, IdentityPolicies([("broken", text)]), None).allowed
