"""Alarms on the running stack: caused for real, told, and over. The other drills a person runs: each takes minutes."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import pytest

from include.lake import resources
from infra.laptop.drills import drill
from infra.laptop.drills.table import DRILLS
from infra.laptop.drills.target import CLUSTER, Target
from infra.laptop.inbox.command import command
from infra.laptop.inbox.store import Inbox
from tests.support.loop import WORKLOAD, Loop, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


def drilled(loop: Loop, name: str) -> str:
    """Runs a drill; returns why the alarm went off."""
    return drill.run(Target(loop.config, loop.aws, loop.workload, print), name, DRILLS[name]).reason


def told(loop: Loop, alarm: str) -> list[str]:
    """The states of an alarm of which a person was told, the oldest first."""
    messages = reversed(Inbox(loop.aws, loop.config.state).collect())
    return [one.alarm.state for one in messages if one.alarm and one.alarm.name == alarm]


def test_invalid_requests_raise_client_errors(loop: Loop) -> None:
    assert "greater than the threshold (30" in drilled(loop, "client-errors")
    assert told(loop, f"nightjar-{WORKLOAD}-client-errors-drill")[-2:] == ["ALARM", "OK"]


def test_a_task_that_does_not_answer_is_replaced_and_told_once(loop: Loop) -> None:
    name = resources.service_name(WORKLOAD)
    before = set(loop.aws.ecs.list_tasks(cluster=CLUSTER, serviceName=name)["taskArns"])
    drilled(loop, "unhealthy-targets")
    assert told(loop, f"nightjar-{WORKLOAD}-service-down-drill")[-2:] == ["ALARM", "OK"]
    assert told(loop, f"nightjar-{WORKLOAD}-unhealthy-targets-drill") == []

    def replaced() -> bool:
        now = set(loop.aws.ecs.list_tasks(cluster=CLUSTER, serviceName=name, desiredStatus="RUNNING")["taskArns"])
        return len(now) >= len(before) and now != before

    until(replaced, "the frozen task is replaced")


def test_make_alerts_shows_what_was_sent(loop: Loop) -> None:
    with redirect_stdout(io.StringIO()) as printed:
        command(loop.config, as_json=False)
    page = (loop.config.state / "alerts.html").read_text()
    assert "client-errors-drill" in page and "docs/runbooks/client-errors.md" in page
    assert "alerts.html" in printed.getvalue()
    assert isinstance(loop.status()["open_alarms"], list)
