"""Rules of ECS that need no server."""

from __future__ import annotations

import socket

import pytest

from infra.localcloud.ecs.addresses import Addresses, NoAddress
from infra.localcloud.ecs.deployment import backoff, threshold


@pytest.mark.parametrize(("desired", "failures"), [(0, 3), (1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (1000, 200)])
def test_the_circuit_breakers_threshold_is_ecs(desired: int, failures: int) -> None:
    assert threshold(desired) == failures


def test_failing_tasks_are_started_ever_more_seldom() -> None:
    assert [backoff(n) for n in (0, 1, 3)] == [0, 0, 0]
    assert [backoff(n) for n in (4, 5, 6, 20)] == [1, 2, 4, 60]


def test_addresses_are_handed_out_in_turn_and_never_twice() -> None:
    addresses = Addresses(220, 222)
    assert [addresses.take([14680]) for _ in range(2)] == ["127.0.0.220", "127.0.0.221"]
    addresses.give_back("127.0.0.220")
    assert [addresses.take([14680]) for _ in range(2)] == ["127.0.0.222", "127.0.0.220"], (
        "the one just given back comes last"
    )
    with pytest.raises(NoAddress, match="14680"):
        addresses.take([14680])


def test_an_address_whose_port_is_taken_is_passed_over() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.223", 14681))
        other.listen()
        assert Addresses(223, 224).take([14680, 14681]) == "127.0.0.224"
