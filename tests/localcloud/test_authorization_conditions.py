"""infra/localcloud/authorization/conditions.py: each operator, with its edges."""

from __future__ import annotations

from typing import Any

import pytest

from infra.localcloud.authorization.conditions import parse
from infra.localcloud.authorization.context import RequestContext, UnknownKeyError

CONTEXT = RequestContext(
    {
        "aws:username": ("ann",),
        "s3:prefix": ("raw/a",),
        "s3:max-keys": ("10",),
        "aws:currenttime": ("2013-03-05T10:00:00Z",),
        "aws:sourceip": ("10.1.2.3",),
        "aws:securetransport": ("true",),
        "aws:sourcearn": ("arn:aws:glue:us-east-1:123456789012:job/transform",),
        "aws:tagkeys": ("team", "stage"),
        "aws:requesttag/team": ("ml",),
        "kms:blob": ("YWJj",),
    },
    known=frozenset(["s3:delimiter", "aws:requesttag/"]),
    computed={"aws:requesttag/": lambda key: None},
)
ABSENT = "s3:delimiter"
CASES: list[tuple[str, str, Any, bool]] = [
    ("StringEquals", "aws:username", "ann", True),
    ("stringequals", "AWS:UserName", "ann", True),
    ("StringEquals", "aws:username", ["bob", "ann"], True),
    ("StringEquals", "aws:username", "Ann", False),
    ("StringEquals", "aws:username", "a*", False),
    ("StringEquals", "s3:prefix", "raw/${aws:username}", False),
    ("StringEquals", "aws:username", "${aws:username}", True),
    ("StringNotEquals", "aws:username", "bob", True),
    ("StringNotEquals", "aws:username", ["bob", "ann"], False),
    ("StringEqualsIgnoreCase", "aws:username", "ANN", True),
    ("StringNotEqualsIgnoreCase", "aws:username", "ANN", False),
    ("StringLike", "s3:prefix", "raw/*", True),
    ("StringLike", "s3:prefix", "raw/?", True),
    ("StringLike", "s3:prefix", "raw", False),
    ("StringNotLike", "s3:prefix", "staging/*", True),
    ("StringNotLike", "s3:prefix", ["staging/*", "raw/*"], False),
    ("NumericEquals", "s3:max-keys", "10", True),
    ("NumericEquals", "s3:max-keys", 10, True),
    ("NumericNotEquals", "s3:max-keys", "10", False),
    ("NumericLessThan", "s3:max-keys", "10", False),
    ("NumericLessThanEquals", "s3:max-keys", "10", True),
    ("NumericGreaterThan", "s3:max-keys", "9.5", True),
    ("NumericGreaterThanEquals", "s3:max-keys", "11", False),
    ("NumericEquals", "aws:username", "1", False),
    ("DateLessThan", "aws:CurrentTime", "2013-03-06T00:00:00Z", True),
    ("DateLessThan", "aws:CurrentTime", "2013-03-05T10:00:00Z", False),
    ("DateGreaterThan", "aws:CurrentTime", "2013-03-01", True),
    ("DateGreaterThanEquals", "aws:CurrentTime", "1362477600", True),
    ("DateEquals", "aws:CurrentTime", "2013-03-05T11:00:00+01:00", True),
    ("DateNotEquals", "aws:CurrentTime", "2013-03-05T10:00:00Z", False),
    ("Bool", "aws:SecureTransport", "true", True),
    ("Bool", "aws:SecureTransport", True, True),
    ("Bool", "aws:SecureTransport", "false", False),
    ("BinaryEquals", "kms:blob", "YWJj", True),
    ("BinaryEquals", "kms:blob", "YWJk", False),
    ("IpAddress", "aws:SourceIp", "10.0.0.0/8", True),
    ("IpAddress", "aws:SourceIp", "10.1.2.3", True),
    ("IpAddress", "aws:SourceIp", "10.1.2.0/32", False),
    ("IpAddress", "aws:SourceIp", "not an address", False),
    ("NotIpAddress", "aws:SourceIp", "192.168.0.0/16", True),
    ("NotIpAddress", "aws:SourceIp", ["192.168.0.0/16", "10.0.0.0/8"], False),
    ("ArnEquals", "aws:SourceArn", "arn:aws:glue:us-east-1:123456789012:job/transform", True),
    ("ArnLike", "aws:SourceArn", "arn:aws:glue:*:123456789012:job/*", True),
    ("ArnLike", "aws:SourceArn", "arn:aws:glue:*:job/*", False),
    ("ArnNotLike", "aws:SourceArn", "arn:aws:glue:*:123456789012:job/*", False),
    ("ArnNotEquals", "aws:SourceArn", "arn:aws:glue:us-east-1:123456789012:job/other", True),
    ("Null", ABSENT, "true", True),
    ("Null", ABSENT, True, True),
    ("Null", ABSENT, "false", False),
    ("Null", "s3:prefix", "true", False),
    ("Null", "s3:prefix", "false", True),
    ("StringEquals", ABSENT, "/", False),
    ("StringLike", ABSENT, "*", False),
    ("StringNotEquals", ABSENT, "/", True),
    ("StringNotLike", ABSENT, "*", True),
    ("StringEqualsIfExists", ABSENT, "/", True),
    ("StringEqualsIfExists", "aws:username", "bob", False),
    ("NumericLessThanIfExists", ABSENT, "1", True),
    ("BoolIfExists", ABSENT, "true", True),
    ("ForAllValues:StringEquals", "aws:TagKeys", ["team", "stage", "cost"], True),
    ("ForAllValues:StringEquals", "aws:TagKeys", ["team"], False),
    ("ForAllValues:StringEquals", ABSENT, ["team"], True),
    ("ForAllValues:StringNotEquals", "aws:TagKeys", ["cost"], True),
    ("ForAllValues:StringNotEquals", "aws:TagKeys", ["team"], False),
    ("ForAnyValue:StringEquals", "aws:TagKeys", ["team", "cost"], True),
    ("ForAnyValue:StringEquals", "aws:TagKeys", ["cost"], False),
    ("ForAnyValue:StringEquals", ABSENT, ["cost"], False),
    ("ForAnyValue:StringNotEquals", "aws:TagKeys", ["team"], True),
    ("ForAnyValue:StringLike", "aws:TagKeys", "st*", True),
    ("StringEquals", "aws:RequestTag/team", "ml", True),
    ("StringEquals", "aws:RequestTag/other", "ml", False),
]


@pytest.mark.parametrize(("operator", "key", "expected", "satisfied"), CASES)
def test_a_condition(operator: str, key: str, expected: Any, satisfied: bool) -> None:
    (condition,) = parse({operator: {key: expected}})
    assert condition.satisfied(CONTEXT) == satisfied


@pytest.mark.parametrize(
    ("operator", "key"),
    [
        ("StringAlmostEquals", "aws:username"),
        ("ForSomeValues:StringEquals", "aws:username"),
        ("StringEquals", "aws:NoSuchKey"),
        ("Null", "aws:NoSuchKey"),
    ],
)
def test_an_unknown_operator_or_key_is_an_error(operator: str, key: str) -> None:
    (condition,) = parse({operator: {key: "x"}})
    with pytest.raises(UnknownKeyError):
        condition.satisfied(CONTEXT)


def test_a_key_that_the_tables_name_and_nobody_computes_is_unknown() -> None:
    context = RequestContext(supported=frozenset(["glue:somekey"]))
    (condition,) = parse({"StringEquals": {"glue:SomeKey": "x"}})
    with pytest.raises(UnknownKeyError):
        condition.satisfied(context)


def test_a_key_that_the_action_does_not_have_is_absent() -> None:
    (condition,) = parse({"StringEquals": {"s3:prefix": "x"}})
    assert not condition.satisfied(RequestContext())
