from __future__ import annotations

import json
from typing import Any

from infra.laptop.terraform.events import Outcome, read_events


def read(*events: dict[str, Any] | str) -> tuple[Outcome, list[str]]:
    reported: list[str] = []
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    return read_events(lines, reported.append), reported


def planned(address: str, module: str, action: str = "create") -> dict[str, Any]:
    return {
        "type": "planned_change",
        "change": {"action": action, "resource": {"addr": address, "module": module}},
    }


def test_planned_changes_are_counted_by_module_of_the_root() -> None:
    outcome, _ = read(
        planned("aws_vpc.root", ""),
        planned("module.lake.aws_s3_bucket.a", "module.lake"),
        planned('module.lake.module.bucket["raw"].aws_s3_bucket.this', 'module.lake.module.bucket["raw"]'),
        planned('module.role["a"].aws_iam_role.this', 'module.role["a"]'),
        planned("module.lake.data.aws_vpc.x", "module.lake", "read"),
        planned("module.lake.aws_s3_bucket.same", "module.lake", "noop"),
    )
    assert outcome.modules == {"root": 1, "lake": 2, "role": 1}
    assert len(outcome.planned) == 4


def test_progress_names_each_resource_that_is_done() -> None:
    hook = {"resource": {"addr": "aws_vpc.a"}}
    outcome, reported = read(
        planned("aws_vpc.a", ""),
        planned("aws_vpc.b", ""),
        {"type": "apply_start", "hook": hook},
        {"type": "apply_complete", "hook": hook},
    )
    assert outcome.started == outcome.done == ["aws_vpc.a"]
    assert reported == ["1 of 2  aws_vpc.a"]


def test_an_error_has_its_resource_its_place_and_its_text() -> None:
    outcome, _ = read(
        {
            "type": "diagnostic",
            "diagnostic": {
                "severity": "error",
                "summary": "creating VPC",
                "detail": "refused",
                "address": "aws_vpc.a",
                "range": {"filename": "main.tf", "start": {"line": 3}},
            },
        },
        {"type": "diagnostic", "diagnostic": {"severity": "warning", "summary": "old"}},
    )
    assert outcome.problem() == "aws_vpc.a: creating VPC (main.tf:3)\nrefused"
    assert outcome.warnings == ["old"]


def test_the_text_of_a_crash_is_the_problem_where_there_is_no_error() -> None:
    outcome, _ = read("panic: it broke", "", {"type": "version"})
    assert outcome.problem() == "panic: it broke"


def test_a_data_source_that_is_read_is_nothing_that_is_made() -> None:
    hook = {"resource": {"addr": "data.aws_caller_identity.current", "module": ""}, "action": "read"}
    events = [json.dumps({"type": kind, "hook": hook}) for kind in ("apply_start", "apply_complete")]
    outcome = read_events(events, lambda _: None)
    assert outcome.started == outcome.done == []
