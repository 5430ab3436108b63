"""Drift is what a plan would change; it becomes an issue, or a comment to the open one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.delivery import drift
from infra.delivery.command import DeliveryError
from tests.support.fake_programs import FakePrograms

SHOWN = {
    "resource_changes": [
        {"address": "aws_s3_bucket.a", "change": {"actions": ["update"]}},
        {"address": "aws_s3_bucket.b", "change": {"actions": ["no-op"]}},
        {"address": "data.aws_region.c", "change": {"actions": ["read"]}},
        {"address": "aws_kms_key.d", "change": {"actions": ["delete", "create"]}},
    ],
    "output_changes": {"url": {"actions": ["update"]}, "same": {"actions": ["no-op"]}},
}


def terraform(programs: FakePrograms, code: int) -> None:
    shown = {"when": ["show"], "prints": json.dumps(SHOWN)}
    programs.add("terraform", shown, {"when": ["plan"], "code": code})


def look(tmp_path: Path, *options: str) -> None:
    drift.main(drift.parser().parse_args(["--environment=dev", f"--terraform={tmp_path}", *options]))


def test_an_empty_plan_is_no_drift(programs: FakePrograms, tmp_path: Path) -> None:
    terraform(programs, 0)
    look(tmp_path, "--repository=o/r")
    plan = programs.calls("terraform")[0]
    assert {f"-chdir={tmp_path}", "-detailed-exitcode", "-lock=false", "-var-file=environments/dev.tfvars"} <= set(plan)


@pytest.mark.parametrize(
    ("issues", "call"),
    [
        ([], ["issue", "create", "--repo", "o/r", "--title", "Drift in dev", "--body-file", "-"]),
        (
            [{"number": 3, "title": "Drift in dev and elsewhere"}, {"number": 7, "title": "Drift in dev"}],
            ["issue", "comment", "7", "--repo", "o/r", "--body-file", "-"],
        ),
    ],
)
def test_drift_is_listed_in_one_issue(
    programs: FakePrograms, tmp_path: Path, issues: list[dict[str, object]], call: list[str]
) -> None:
    terraform(programs, 2)
    programs.add("gh", {"when": ["list"], "prints": json.dumps(issues)}, {"when": []})
    with pytest.raises(DeliveryError, match=r"would change 3 resources of dev:\naws_kms_key.d: delete/create"):
        look(tmp_path, "--repository=o/r", "--link=https://run")
    assert programs.calls("gh")[1] == call
    body = programs.given("gh")[1]
    assert "- `aws_s3_bucket.a: update`" in body and "https://run" in body and "aws_s3_bucket.b" not in body


def test_a_plan_that_fails_is_not_taken_for_drift(programs: FakePrograms, tmp_path: Path) -> None:
    terraform(programs, 1)
    with pytest.raises(DeliveryError, match="ended with 1"):
        look(tmp_path)
