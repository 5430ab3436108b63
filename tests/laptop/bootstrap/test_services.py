"""What the laptop makes of ``service.yaml``."""

from __future__ import annotations

import pytest

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
