"""``make iam``: the text and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.laptop.config import LaptopConfig
from infra.laptop.iam import exceptions, grants, record
from infra.laptop.iam.exceptions import GrantException
from infra.laptop.iam.grants import RoleKind, kinds
from infra.laptop.iam.record import Call, Record
from infra.laptop.iam.report import report

COMMAND = "make test PYTEST_ARGS=tests/e2e"
STREAM = "arn:aws:firehose:us-east-1:123456789012:deliverystream/nightjar-{}-predictions"
ROLE = "nightjar-flights-ecs-task"
PUT = Call(ROLE, "firehose:PutRecordBatch", STREAM.format("flights"))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LaptopConfig:
    """A machine without records, and a platform with one role, of whose grants one is used and the others explained."""
    (task,) = [kind for kind in kinds() if kind.name == "ecs-task"]
    monkeypatch.setattr(grants, "kinds", lambda: [task])
    monkeypatch.setattr(exceptions, "load", lambda: explained(task))
    return LaptopConfig.from_env(home=tmp_path)


def explained(kind: RoleKind) -> tuple[GrantException, ...]:
    return tuple(
        GrantException(
            role=kind.name,
            statement=grant.statement,
            actions=(grant.action,),
            type="not_on_the_laptop",
            reason="as a test wants it",
        )
        for grant in kind.grants()
        if grant.action != PUT.action
    )


def saved(config: LaptopConfig, *, incomplete: str = "", policies: str | None = None, **calls: dict[Call, int]) -> None:
    """Writes a record."""
    digest = grants.policies_digest() if policies is None else policies
    allowed, denied = calls.get("allowed", {PUT: 1}), calls.get("denied", {})
    Record("tests/e2e", "abc", "2026-01-01", {"passed": 3}, incomplete, digest, allowed, denied).save(
        record.path(config, "usage")
    )


def test_without_a_record_it_says_which_command_makes_it(config: LaptopConfig) -> None:
    text, code = report(config)
    assert code == 1
    assert COMMAND in text
    assert "unused:" not in text


def test_all_used_or_explained_and_nothing_denied_is_good(config: LaptopConfig) -> None:
    saved(config)
    text, code = report(config)
    assert code == 0, text
    assert "Grants that no run has used: 0\nDenied calls: 0\n" in text
    assert f"{len(exceptions.load())} not_on_the_laptop" in text
    assert COMMAND not in text


def test_an_unused_grant_is_named(config: LaptopConfig) -> None:
    saved(config, allowed={})
    text, code = report(config)
    assert code == 1
    assert f"unused: firehose:PutRecordBatch on {STREAM.format('<workload>')}" in text
    assert "Grants that no run has used: 1\n" in text


def test_a_denied_call_is_named(config: LaptopConfig) -> None:
    saved(config, denied={Call(ROLE, "s3:DeleteObject", "arn:x"): 2})
    text, code = report(config)
    assert code == 1
    assert "denied: s3:DeleteObject on arn:x, 2 times" in text
    assert "Denied calls: 2\n" in text


def test_a_call_that_today_would_be_denied_is_named(config: LaptopConfig) -> None:
    saved(config, allowed={PUT: 1, Call(ROLE, "s3:DeleteObject", "arn:x"): 1})
    text, code = report(config)
    assert code == 1
    assert "would be denied: s3:DeleteObject on arn:x" in text


def test_a_part_of_the_suite_is_no_record_of_it(config: LaptopConfig) -> None:
    saved(config, incomplete="2 tests failed")
    text, code = report(config)
    assert code == 1
    assert "It does not count as whole: 2 tests failed." in text
    assert COMMAND in text


def test_a_record_of_older_policies_says_so_and_names_the_command_only_if_it_matters(config: LaptopConfig) -> None:
    saved(config, policies="older")
    text, code = report(config)
    assert code == 0
    assert "The policies have changed since." in text
    assert COMMAND not in text
    saved(config, policies="older", allowed={})
    text, code = report(config)
    assert code == 1
    assert COMMAND in text
