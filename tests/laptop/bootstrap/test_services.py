"""What the laptop makes of ``service.yaml``."""

from __future__ import annotations

import pytest

from include.lake import resources
from include.workloads import Workload, load
from infra.laptop.bootstrap import services, settings


def with_cpu(cpu: int) -> Workload:
    flights = load("flights")
    return flights.model_copy(update={"serving": flights.serving.model_copy(update={"cpu": cpu})})


@pytest.mark.parametrize(("cpu", "workers"), [(256, "1"), (1024, "1"), (2048, "2")])
def test_a_service_has_a_worker_for_each_vcpu(cpu: int, workers: str) -> None:
    task = services.workload_definition(settings(), with_cpu(cpu))["task_definition"]
    (container,) = task["containerDefinitions"]
    environment = {pair["name"]: pair["value"] for pair in container["environment"]}
    assert task["cpu"] == str(cpu)
    assert environment["WORKERS"] == workers
    assert container["image"] == settings().serving_image


def test_a_canary_has_names_of_its_own_and_everything_else_of_the_service() -> None:
    defined = services.workload_definition(settings(), load("flights"))
    assert defined["canary"] == {
        "target_group": {"Name": resources.target_groups("flights")[1]},
        "service": {"serviceName": resources.canary_name("flights")},
    }
    assert (defined["target_group"]["Name"], defined["service"]["serviceName"]) == ("nightjar-flights",) * 2
    assert len(resources.target_groups("x" * 20)[1]) <= 32  # what ELB takes
