"""Rules of ECS that need no server."""

from __future__ import annotations

import socket

import pytest

from infra.localcloud.ecs.addresses import AddressPool
from infra.localcloud.ecs.errors import NoAddressError
from infra.localcloud.ecs.rollout import backoff_seconds, failure_threshold


@pytest.mark.parametrize(("desired", "failures"), [(0, 3), (1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (1000, 200)])
def test_the_circuit_breakers_threshold_is_that_of_ecs(desired: int, failures: int) -> None:
    assert failure_threshold(desired) == failures


def test_the_delay_between_failing_tasks_doubles_up_to_a_minute() -> None:
    assert [backoff_seconds(n) for n in (0, 1, 3)] == [0, 0, 0]
    assert [backoff_seconds(n) for n in (4, 5, 6, 20)] == [1, 2, 4, 60]


def test_addresses_are_taken_in_turn_and_never_twice() -> None:
    addresses = AddressPool(220, 222)
    assert [addresses.take([14680]) for _ in range(2)] == ["127.0.0.220", "127.0.0.221"]
    addresses.give_back("127.0.0.220")
    assert [addresses.take([14680]) for _ in range(2)] == ["127.0.0.222", "127.0.0.220"], (
        "the address just returned comes last"
    )
    with pytest.raises(NoAddressError, match="14680"):
        addresses.take([14680])


def test_an_address_whose_port_is_in_use_is_skipped() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.223", 14681))
        other.listen()
        assert AddressPool(223, 224).take([14680, 14681]) == "127.0.0.224"
