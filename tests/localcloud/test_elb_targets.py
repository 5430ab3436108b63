"""Health of targets without a server: thresholds, the matcher, draining, and the names that Caddy asks for."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from infra.localcloud.elb import targets as module
from infra.localcloud.elb.names import NameServer, answer
from infra.localcloud.elb.targets import Check, Target, Targets

CHECK = Check(path="/", interval=10, timeout=1, healthy_after=3, unhealthy_after=2, codes="200-204,302")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def targets(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Targets]:
    """The thread is kept from looking: tests judge by hand."""
    monkeypatch.setattr(module, "_TICK_SECONDS", 3600)
    made = Targets(lambda group: CHECK, clock)
    yield made
    made.close()


def test_the_matcher_takes_codes_and_ranges() -> None:
    assert [status for status in (199, 200, 204, 205, 302, 503) if CHECK.accepts(status)] == [200, 204, 302]


def judge(targets: Targets, clock: Clock, statuses: list[int | None]) -> Target:
    targets.register("g", "127.0.0.201", 80)
    (target,) = targets.list("g")
    for status in statuses:
        targets._judge(target, CHECK, status, "Target.FailedHealthChecks")
        clock.now = target.count_at
    return target


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ([], "initial"),
        ([200], "healthy"),
        ([503], "initial"),
        ([503, None], "unhealthy"),
        ([503, 200], "healthy"),
        ([200, 503], "healthy"),
        ([200, 503, 200, 503], "healthy"),
        ([200, 503, 503], "unhealthy"),
        ([503, 503, 200, 200], "unhealthy"),
        ([503, 503, 200, 200, 200], "healthy"),
    ],
)
def test_states_follow_the_thresholds(targets: Targets, clock: Clock, statuses: list[int | None], state: str) -> None:
    assert judge(targets, clock, statuses).state == state


def test_a_failure_counts_once_an_interval(targets: Targets, clock: Clock) -> None:
    """A target that starts is looked at often; that must not use up its failures sooner than the interval says."""
    targets.register("g", "127.0.0.201", 80)
    (target,) = targets.list("g")
    for _ in range(20):
        targets._judge(target, CHECK, None, "Target.FailedHealthChecks")
        assert target.look_at - clock.now < 1
    assert target.state == "initial" and target.failures == 1


def test_the_reason_is_told(targets: Targets, clock: Clock) -> None:
    target = judge(targets, clock, [503, 503])
    assert (target.reason, target.description) == (
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [503]",
    )


def test_targets_are_known_by_address_and_port(targets: Targets) -> None:
    targets.register("g", "127.0.0.201", 80)
    targets.register("g", "127.0.0.201", 81)
    targets._judge(targets.list("g")[0], CHECK, 200, "")
    assert targets.healthy("g", 80) == ["127.0.0.201"] and targets.healthy("g", 81) == []
    assert targets.ports("g") == {80, 81}


def test_a_drained_target_gets_nothing_more_and_comes_back_as_new(targets: Targets, clock: Clock) -> None:
    target = judge(targets, clock, [200])
    assert targets.deregister("g", "127.0.0.201", 80, delay=30)
    assert targets.healthy("g", 80) == [] and target.state == "draining"
    for _ in range(CHECK.healthy_after):
        targets._judge(target, CHECK, 200, "")
    assert target.state == "draining", "a late check does not revive it"
    assert not targets.deregister("g", "127.0.0.201", 80, delay=30)
    targets.register("g", "127.0.0.201", 80)
    assert targets.state("g", "127.0.0.201", 80) == "initial"


def query(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", kind, 1)


def test_names_are_answered() -> None:
    reply = answer(query("80.TG-a"), lambda name: ["127.0.0.10", "127.0.0.11"] if name == "80.tg-a" else [])
    ident, flags, _, count, *_ = struct.unpack(">6H", reply[:12])
    assert (ident, flags & 0xF, count) == (7, 0, 2)
    assert reply.endswith(socket.inet_aton("127.0.0.11"))


def test_a_name_without_addresses_does_not_exist() -> None:
    flags, _, count = struct.unpack(">3H", answer(query("80.tg-b"), lambda name: [])[2:8])
    assert (flags & 0xF, count) == (3, 0)


def test_the_name_server_outlives_rubbish() -> None:
    server = NameServer(lambda name: ["127.0.0.10"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"rubbish", ("127.0.0.1", server.port))
        client.sendto(query("80.tg-a"), ("127.0.0.1", server.port))
        assert client.recvfrom(512)[0].endswith(socket.inet_aton("127.0.0.10"))
    server.close()
