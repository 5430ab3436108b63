"""Policies against recorded calls: what is unused, denied, no longer allowed, and explained."""

from __future__ import annotations

from collections.abc import Mapping

from infra.laptop.iam.comparison import Measured, measure
from infra.laptop.iam.exceptions import GrantException
from infra.laptop.iam.grants import RoleKind, kinds
from infra.laptop.iam.record import Call, Record

KINDS = {kind.name: kind for kind in kinds()}
FIREHOSE = KINDS["firehose"]
PUT = Call("nightjar-flights-firehose", "s3:PutObject", "arn:aws:s3:::nightjar-lake/predictions/flights/x")
OTHER = Call("nightjar-flights-firehose", "s3:PutObject", "arn:aws:s3:::nightjar-lake/predictions/other/x")
DELIVER = GrantException(
    role="firehose",
    statement="Deliver",
    actions=("s3:PutObject",),
    type="service_makes_the_call",
    by="firehose.amazonaws.com",
    reason="Firehose writes the objects",
)


def measured(
    allowed: Mapping[Call, int],
    denied: Mapping[Call, int] | None = None,
    *exceptions: GrantException,
    kind: RoleKind = FIREHOSE,
) -> Measured:
    """The comparison of a role with one record."""
    record = Record("tests/e2e", "abc", "2026-01-01", {}, "", "", allowed, denied or {})
    return measure(kind, [record], exceptions)


def deliveries(found: Measured) -> list[str]:
    """The unused grants of the statement that allows deliveries."""
    return [grant.action for grant in found.unused if grant.statement == "Deliver"]


def test_a_grant_that_a_call_used_is_not_listed() -> None:
    assert "s3:PutObject" in deliveries(measured({}))
    assert "s3:PutObject" not in deliveries(measured({PUT: 1}))


def test_a_grant_counts_as_used_only_by_the_role_that_has_it() -> None:
    assert "s3:PutObject" in deliveries(measured({Call("nightjar-glue", PUT.action, PUT.resource): 1}))


def test_a_call_that_the_current_policy_does_not_allow_would_be_denied() -> None:
    assert measured({PUT: 1}).lost == {}
    found = measured({OTHER: 2})
    assert found.lost == {OTHER: 2}
    assert not found.is_clean


def test_a_denied_call_is_listed() -> None:
    found = measured({PUT: 1}, {OTHER: 4, Call("nightjar-glue", "s3:PutObject", "a"): 1})
    assert found.denied == {OTHER: 4}
    assert not found.is_clean


def test_an_exception_explains_an_unused_grant() -> None:
    found = measured({}, None, DELIVER)
    assert "s3:PutObject" not in deliveries(found)
    assert [one.grant.action for one in found.explained] == ["s3:PutObject"]
    assert found.needless == []


def test_an_exception_for_a_grant_that_was_used_is_needless() -> None:
    found = measured({PUT: 1}, None, DELIVER)
    assert found.needless == [DELIVER]
    assert not found.is_clean


def test_an_exception_of_another_role_explains_nothing() -> None:
    assert "s3:PutObject" in deliveries(measured({}, None, DELIVER.model_copy(update={"role": "glue"})))


def test_the_role_of_any_workload_uses_the_grants_of_all() -> None:
    second = Call("nightjar-texts-firehose", "s3:PutObject", "arn:aws:s3:::nightjar-lake/predictions/texts/x")
    found = measured({second: 1})
    assert "s3:PutObject" not in deliveries(found)
    assert found.lost == {}


def test_role_names_are_told_apart() -> None:
    assert FIREHOSE.workload_of("nightjar-my-texts-firehose") == "my-texts"
    assert FIREHOSE.workload_of("nightjar-firehose") is None
    assert FIREHOSE.workload_of("nightjar-flights-ecs-task") is None
    assert KINDS["glue"].workload_of("nightjar-glue") == ""
    assert KINDS["glue"].workload_of("nightjar-flights-glue") is None


def test_what_the_local_cloud_refuses_needs_no_run_of_terraform_and_nobody_else_gets_that() -> None:
    plan = measured({}, kind=KINDS["github-plan"])
    assert "airflow:GetEnvironment" in [grant.action for grant in plan.refused]
    assert "s3:GetBucketPolicy" in [grant.action for grant in plan.later]
    task = measured({}, kind=KINDS["ecs-task"])
    assert task.refused == []
    assert "elasticache:Connect" in [grant.action for grant in task.unused]


def test_who_applies_may_read_with_the_documents_of_who_plans() -> None:
    read = Call("nightjar-github-apply", "s3:GetBucketPolicy", "arn:aws:s3:::nightjar-lake")
    delete = Call("nightjar-github-apply", "s3:GetObject", "arn:aws:s3:::nightjar-raw/raw/x")
    assert measured({read: 1, delete: 1}, kind=KINDS["github-apply"]).lost == {delete: 1}
