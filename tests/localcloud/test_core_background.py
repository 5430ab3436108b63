"""Background threads: what happens when one raises, ends or hangs, and what the health check says of it."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.localcloud.background import Background, PartStatus
from infra.localcloud.config import Config, GlueSettings
from infra.localcloud.elb.nameserver import NameServer
from infra.localcloud.elb.targets import HealthCheck as TargetCheck
from infra.localcloud.elb.targets import TargetRegistry
from infra.localcloud.health import HEALTH, HealthCheck


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("the condition did not become true")


def part(background: Background, name: str) -> PartStatus:
    return next(status for status in background.status() if status.name == name)


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(1), KeyboardInterrupt()])
def test_a_loop_goes_on_after_any_exception(background: Background, error: BaseException) -> None:
    calls: list[int] = []

    def step() -> float:
        calls.append(1)
        if len(calls) < 3:
            raise error
        return 0.01

    background.loop("flaky", step)
    until(lambda: len(calls) > 3)
    status = part(background, "flaky")
    assert (status.state, status.errors) == ("ok", 2)


def test_a_loop_that_keeps_raising_is_failing_with_its_error(background: Background) -> None:
    def step() -> float:
        raise ValueError("no such shard")

    background.loop("broken", step)
    status = until(lambda: (found := part(background, "broken")).state == "failing" and found)
    assert status.detail == "ValueError: no such shard"


def test_a_step_that_hangs_is_stuck_with_the_age_of_its_heartbeat(background: Background) -> None:
    release = threading.Event()
    background.loop("hanging", lambda: float(release.wait()), stuck_seconds=0.05)
    status = until(lambda: (found := part(background, "hanging")).state == "stuck" and found)
    assert status.heartbeat_seconds is not None and "no heartbeat for" in str(status.detail)
    release.set()


def test_a_loop_that_waits_for_its_next_step_is_not_stuck(background: Background) -> None:
    stepped = threading.Event()

    def step() -> float:
        stepped.set()
        return 3600.0

    background.loop("patient", step, stuck_seconds=0.05)
    assert stepped.wait(60)
    time.sleep(0.2)
    until(lambda: part(background, "patient").state == "ok")  # the end of its step may be late


def test_no_step_begins_while_the_state_is_restored(background: Background) -> None:
    stepped = threading.Event()

    def step() -> float:
        stepped.set()
        return 60

    with background.held():
        background.loop("early", step).wake()
        assert not stepped.wait(0.2)
    assert stepped.wait(60)


def test_a_wake_during_a_step_is_not_lost(background: Background) -> None:
    calls: list[int] = []
    entered, leave = threading.Event(), threading.Event()

    def step() -> float:
        calls.append(1)
        entered.set()
        leave.wait()
        return 3600.0

    loop = background.loop("woken", step)
    entered.wait()
    loop.wake()
    leave.set()
    until(lambda: len(calls) == 2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_has_ended_is_dead_and_is_started_again(
    background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        # Nothing but a fault in the handling of errors can end the thread of a loop.
        patch.setattr("infra.localcloud.background.report_exception", lambda name: sys.exit(1))
        healed = threading.Event()
        background.loop("mortal", lambda: 0.01 if healed.is_set() else 1 / 0)
        until(lambda: part(background, "mortal").state == "dead")
    healed.set()
    background.revive()
    status = until(lambda: (found := part(background, "mortal")).state == "ok" and found)
    assert status.restarts == 1


def test_an_error_in_a_pool_or_thread_is_counted(background: Background) -> None:
    pool = background.pool("workers", 1)
    pool.submit(lambda: 1 / 0)
    background.run("once", lambda: 1 / 0).join()
    until(lambda: part(background, "workers").errors == 1)
    assert part(background, "one-off threads").detail == "once: ZeroDivisionError: division by zero"


def test_the_name_server_survives_a_lookup_that_raises(background: Background) -> None:
    answers: dict[str, list[str]] = {}
    server = NameServer(lambda name: answers[name], background)
    query = b"\0\7\1\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.sendto(query, ("127.0.0.1", server.port))
        until(lambda: part(background, "elb-names").errors)
        answers["a"] = ["127.0.0.11"]
        client.sendto(query, ("127.0.0.1", server.port))
        assert client.recvfrom(512)[0].endswith(socket.inet_aton("127.0.0.11"))
    server.close()


def test_a_check_that_cannot_be_made_leaves_the_other_targets_checked(background: Background) -> None:
    """The matcher of one group was no number: its target stayed "being checked" for ever."""

    def check_of(group: str) -> TargetCheck:
        if group == "bad":
            raise ValueError("invalid matcher")
        return TargetCheck(enabled=False)

    registry = TargetRegistry(check_of, background)
    registry.register("bad", "127.0.0.201", 80)
    registry.register("good", "127.0.0.202", 80)
    until(lambda: registry.state("good", "127.0.0.202", 80) == "healthy")
    until(lambda: registry.targets("bad")[0].reason == "Elb.InternalError")
    until(lambda: not registry.targets("bad")[0].checking)
    assert part(background, "elb-check").errors == 1


def asked(background: Background, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    """Status and content of the health check."""
    config = Config(state=tmp_path, glue=GlueSettings(python=Path(sys.executable), jars=()), mounts=False)
    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        statuses.append(status)

    application: Any = None
    body = b"".join(HealthCheck(application, config, background)({"PATH_INFO": HEALTH}, start_response))
    return statuses[0], json.loads(body)


def test_the_health_check_names_what_is_wrong(background: Background, tmp_path: Path) -> None:
    background.loop("fine", lambda: 1.0)
    status, content = asked(background, tmp_path)
    assert (status, content["status"], content["wrong"]) == ("200 OK", "ok", [])
    background.watch(lambda: [PartStatus("caddy", "dead", detail="exit code 1")])
    status, content = asked(background, tmp_path)
    assert (status, content["wrong"]) == ("503 Service Unavailable", ["caddy is dead: exit code 1"])
    assert {"fine", "caddy"} <= {found["name"] for found in content["parts"]}


def test_a_check_that_raises_is_itself_reported(background: Background, tmp_path: Path) -> None:
    def probe() -> list[PartStatus]:
        raise OSError("no such socket")

    background.watch(probe)
    status, content = asked(background, tmp_path)
    assert status.startswith("503") and "no such socket" in content["wrong"][0]
