"""The record of the calls that a run has made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.iam import record
from infra.laptop.iam.record import Call, Provoked, Record

GLUE = "arn:aws:iam::123456789012:role/nightjar-glue"


def line(
    decision: str, *asked: tuple[str, str], role: str = GLUE, time: str = "2026-01-01T00:00:05", **more: Any
) -> dict[str, Any]:
    """A line of the request log."""
    iam = [{"action": action, "resource": resource} for action, resource in asked]
    return {"time": time, "role": role, "decision": decision, "iam": iam, **more}


def test_calls_are_counted_by_role_action_and_resource() -> None:
    get = ("s3:GetObject", "arn:aws:s3:::lake/a")
    allowed, denied = record.calls([line("allow", get), line("allow", get), line("deny", get)])
    assert allowed == {Call("nightjar-glue", *get): 2}
    assert denied == {Call("nightjar-glue", *get): 1}


def test_of_a_denied_request_only_what_was_refused_counts() -> None:
    asked = [("ecs:RegisterTaskDefinition", "a"), ("ecs:TagResource", "b"), ("iam:PassRole", "c")]
    allowed, denied = record.calls([line("deny", *asked, decided_by=["nightjar/A", ""])])
    assert not allowed
    assert denied == {Call("nightjar-glue", "ecs:TagResource", "b"): 1}


def test_who_is_no_role_of_the_project_is_left_out() -> None:
    get = ("s3:GetObject", "a")
    others = ("operator", "anonymous", "arn:aws:iam::123456789012:user/nightjar-x", "arn:aws:iam::1:role/other")
    assert record.calls([line("allow", get, role=role) for role in others]) == ({}, {})


@pytest.mark.parametrize(
    ("action", "time", "counts"),
    [
        ("s3:GetObject", "2026-01-01T00:00:05", False),
        ("s3:PutObject", "2026-01-01T00:00:05", True),  # another action than the test took away
        ("s3:GetObject", "2026-01-01T00:00:09", True),  # after the test
    ],
)
def test_only_a_denial_that_a_test_provoked_is_left_out(action: str, time: str, *, counts: bool) -> None:
    provoked = Provoked("nightjar-glue", "s3:GetObject", "2026-01-01T00:00:04", "2026-01-01T00:00:06")
    _, denied = record.calls([line("deny", (action, "a"), time=time)], [provoked])
    assert bool(denied) is counts


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    calls = {Call("nightjar-glue", "s3:GetObject", "a"): 3}
    written = Record("tests/e2e", "abc", "2026-01-01", {"passed": 2}, "", "digest", calls, {})
    file = record.path(LaptopConfig.from_env(home=tmp_path), "usage")
    assert record.load(file) is None
    written.save(file)
    assert record.load(file) == written
    assert [path.name for path in file.parent.iterdir()] == ["usage.json"]  # nothing partial is left


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"form": 0}', '{"form": 1, "allowed": [], "denied": []}'])
def test_a_file_that_is_no_record_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "usage.json"
    file.write_text(text)
    with pytest.raises(LaptopError, match=r"usage\.json .*record again"):
        record.load(file)
