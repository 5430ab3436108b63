"""A load balancer's port belongs to the name of its workload for good."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from infra.laptop import service_ports
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.free_ports import HOST, free_port


@pytest.fixture
def first() -> int:
    """A port with some free ones behind it."""
    return free_port(following=3)


@pytest.fixture
def config(tmp_path: Path, first: int) -> LaptopConfig:
    return LaptopConfig(run=tmp_path, service_port=first, airflow_port=1024, cloud_port=1025)


def test_a_workload_that_sorts_before_another_gets_the_next_port(config: LaptopConfig, first: int) -> None:
    assert service_ports.assign(config, ["flights"]) == {"flights": first}
    assert service_ports.assign(config, ["ads", "flights"]) == {"flights": first, "ads": first + 1}


def test_a_workload_gets_the_port_that_it_asks_for_whatever_the_order_and_whoever_is_away(
    config: LaptopConfig, first: int
) -> None:
    offsets = {"flights": 0, "ads": 1}
    assert service_ports.assign(config, ["ads", "bats"], offsets=offsets) == {"ads": first + 1, "bats": first + 2}
    assert service_ports.assign(config, ["ads", "bats", "flights"], offsets=offsets)["flights"] == first


def test_of_two_that_ask_for_one_port_the_second_gets_the_next(config: LaptopConfig, first: int) -> None:
    offsets = {"flights": 0, "ads": 0}
    assert service_ports.assign(config, ["ads", "flights"], offsets=offsets) == {"ads": first, "flights": first + 1}


def test_a_port_is_kept_while_its_workload_is_away(config: LaptopConfig, first: int) -> None:
    service_ports.assign(config, ["ads", "flights"])
    assert service_ports.assign(config, ["flights"])["flights"] == first + 1
    assert service_ports.assign(config, ["bats", "flights", "ads"]) == {
        "ads": first, "flights": first + 1, "bats": first + 2,
    }  # fmt: skip


def test_another_setting_moves_all_ports_in_their_order(config: LaptopConfig, first: int) -> None:
    service_ports.assign(config, ["flights"])
    service_ports.assign(config, ["ads", "flights"])
    moved = config.model_copy(update={"service_port": first + 1})
    assert service_ports.assign(moved, ["ads", "flights"]) == {"flights": first + 1, "ads": first + 2}


def test_a_port_that_airflow_or_the_cloud_was_given_is_given_up(config: LaptopConfig, first: int) -> None:
    service_ports.assign(config, ["ads", "flights"])
    moved = config.model_copy(update={"airflow_port": first + 1})
    assert service_ports.assign(moved, ["ads", "flights"]) == {"ads": first, "flights": first + 2}


def test_a_run_folder_that_stores_no_ports_keeps_those_that_are_listened_on(config: LaptopConfig, first: int) -> None:
    listening = {"sentiment": first, "flights": first + 1}
    with socket.create_server((HOST, first)):  # the local cloud itself, with the state of the earlier version
        ports = service_ports.assign(config, ["flights", "new", "sentiment"], listening)
    assert ports == {"sentiment": first, "flights": first + 1, "new": first + 2}


def test_a_new_workload_does_not_get_a_port_on_which_another_process_listens(config: LaptopConfig, first: int) -> None:
    with socket.socket() as other:
        other.bind((HOST, first + 1))
        other.listen()
        assert service_ports.assign(config, ["ads", "flights"]) == {"ads": first, "flights": first + 2}


def test_a_first_port_on_which_another_process_listens_is_an_error(config: LaptopConfig, first: int) -> None:
    with socket.socket() as other:
        other.bind((HOST, first))
        other.listen()
        with pytest.raises(LaptopError, match=f"Port {first} is taken.*load balancer of ads.*NIGHTJAR_SERVICE_PORT"):
            service_ports.assign(config, ["ads"])
    assert not (config.state / "service_ports.json").exists()


def test_before_a_start_every_port_that_was_given_out_must_be_free(config: LaptopConfig, first: int) -> None:
    service_ports.assign(config, ["ads", "flights"])
    service_ports.require_free_ports(config)
    with socket.socket() as other:
        other.bind((HOST, first + 1))
        other.listen()
        with pytest.raises(LaptopError, match="load balancer of flights"):
            service_ports.require_free_ports(config)
