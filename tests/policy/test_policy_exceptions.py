"""An exception is for what a laptop cannot show, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from infra.laptop.iam import exceptions
from infra.laptop.iam.exceptions import GrantException
from infra.laptop.iam.grants import kinds
from tests.support.exception_rules import problems


def exception(**fields: Any) -> GrantException:
    """An exception that is accepted, but for the given fields."""
    good = {
        "role": "glue",
        "statement": "FindNetwork",
        "actions": ["ec2:DescribeSubnets"],
        "type": "service_makes_the_call",
        "by": "glue.amazonaws.com",
        "reason": "as a test wants it",
    }
    return GrantException.model_validate(good | fields)


NOT_HERE = {"type": "not_on_the_laptop", "by": None}


def test_every_exception_keeps_the_rules() -> None:
    assert problems(exceptions.load(), kinds()) == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"role": "nobody"}, "there is no such statement"),
        ({"statement": "Nothing"}, "there is no such statement"),
        ({"actions": ["ec2:RunInstances"]}, "the statement does not grant ec2:RunInstances"),
        ({"statement": "ReadInputs", "actions": ["s3:GetObject"]}, "a run must use it"),
        ({"by": "ecs-tasks.amazonaws.com"}, "makes no call in its name; glue.amazonaws.com does"),
        ({"statement": "UseDataKeys", "actions": ["kms:Decrypt"]}, "makes no call in its name; s3.amazonaws.com does"),
        # The local cloud answers it, so that its being elsewhere is no reason.
        (NOT_HERE, "the local cloud answers ec2:DescribeSubnets"),
        (
            {**NOT_HERE, "statement": "PutJobMetrics", "actions": ["cloudwatch:PutMetricData"]},
            "the local cloud answers",
        ),
    ],
)
def test_a_wrong_exception_is_refused(fields: dict[str, Any], told: str) -> None:
    assert problems([exception()], kinds()) == []
    (problem,) = problems([exception(**fields)], kinds())
    assert told in problem


def test_a_part_that_is_on_aws_only_may_have_grants_that_nothing_here_uses() -> None:
    cache = {"role": "ecs-task", "statement": "UseCache", "actions": ["elasticache:Connect"]}
    assert problems([exception(**NOT_HERE, **cache)], kinds()) == []


def test_no_grant_has_two_exceptions() -> None:
    named = [(one.role, one.statement, action) for one in exceptions.load() for action in one.actions]
    assert len(named) == len(set(named))
