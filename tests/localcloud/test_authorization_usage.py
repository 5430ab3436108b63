"""infra/localcloud/authorization/usage.py: grants that no request used, requests that were denied."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from infra.localcloud.authorization.usage import Grant, Refusal, compare, grants_of
from tests.support.localcloud import ROOT, Cloud
from tests.support.policed_roles import BUCKET, allow, refused

ROLE = "arn:aws:iam::123456789012:role/worker"
GRANTS = grants_of(
    ROLE,
    [
        ("own", {"Statement": [
            allow(["s3:GetObject", "s3:Put*"], ["arn:aws:s3:::lake/raw/*", "arn:aws:s3:::lake/out/*"]),
            {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"},
            allow("glue:GetJob", "*", Sid="Jobs"),
        ]}),
    ],
)  # fmt: skip


def line(decision: str, *asked: tuple[str, str], role: str = ROLE, **more: Any) -> dict[str, Any]:
    iam = [{"action": action, "resource": resource} for action, resource in asked]
    return {"role": role, "decision": decision, "iam": iam, **more}


def test_a_grant_is_one_action_on_one_resource() -> None:
    assert len(GRANTS) == 5
    assert GRANTS[-1] == Grant(ROLE, "own", "Jobs", "glue:GetJob", "*")


def test_unused_grants_and_denied_requests() -> None:
    usage = compare(
        [
            line("allow", ("s3:GetObject", "arn:aws:s3:::lake/raw/a")),
            line(
                "allow", ("s3:PutObject", "arn:aws:s3:::lake/out/a"), ("s3:PutObjectTagging", "arn:aws:s3:::lake/out/a")
            ),
            line("allow", ("glue:GetJob", "arn:aws:glue:us-east-1:123456789012:job/j"), role="arn:other"),
            line("deny", ("s3:GetObject", "arn:aws:s3:::lake/raw/a"), ("glue:GetJobs", "*"), decided_by=["own/1", ""]),
            line("deny", ("glue:GetJobs", "*"), decided_by=[""]),
            line("operator"),
        ],
        {ROLE: GRANTS},
    )
    assert [(grant.action, grant.resource) for grant in usage.unused] == [
        ("s3:GetObject", "arn:aws:s3:::lake/out/*"),
        ("s3:Put*", "arn:aws:s3:::lake/raw/*"),
        ("glue:GetJob", "*"),
    ]
    assert usage.refused == [Refusal(ROLE, "glue:GetJobs", "*", 2)]


def test_a_role_that_may_do_nothing_is_looked_at_too() -> None:
    usage = compare([line("deny", ("s3:PutObject", "arn:aws:s3:::lake/a"), decided_by=[""])], {ROLE: []})
    assert usage.refused == [Refusal(ROLE, "s3:PutObject", "arn:aws:s3:::lake/a", 1)]


@pytest.mark.stack
def test_the_command_reports_a_servers_roles(cloud: Cloud, guarded_s3: Any, as_role: Any) -> None:
    role = as_role(allow(["s3:GetObject", "s3:DeleteObject"], f"arn:aws:s3:::{BUCKET}/*"))
    role("s3").get_object(Bucket=BUCKET, Key="raw/a.json")
    refused(lambda: role("s3").put_object(Bucket=BUCKET, Key="raw/x", Body=b""))
    config = str(cloud.state.parent / "cloud.yaml")
    command = [sys.executable, "-m", "infra.localcloud", "usage", "--config", config]
    report = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f": s3:DeleteObject on arn:aws:s3:::{BUCKET}/* (own/1)" in report
    assert f": s3:GetObject on arn:aws:s3:::{BUCKET}/* (own/1)" not in report
    assert f": s3:PutObject on arn:aws:s3:::{BUCKET}/raw/x, 1 times" in report
