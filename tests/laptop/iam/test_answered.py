"""Which actions the local cloud answers, by the names that they have in IAM."""

from __future__ import annotations

from infra.laptop.iam.answered import answered_actions


def test_answered_actions_are_those_of_iam() -> None:
    # By operation; by another name: ListObjectsV2, CreateFunction20150331; with another action: a role is passed.
    answered = {"dynamodb:putitem", "s3:getbucketpolicy", "s3:listbucket", "lambda:createfunction", "iam:passrole"}
    assert answered <= answered_actions()


def test_what_is_refused_or_no_operation_is_not_answered() -> None:
    assert not {"xray:puttelemetryrecords", "elasticache:connect", "s3:listobjectsv2"} & answered_actions()
