"""The environment of the service's container."""

from __future__ import annotations

import pytest

from include.workloads import Workload, load
from infra.laptop.bootstrap import services


def with_cpu(cpu: int) -> Workload:
    flights = load("flights")
    return flights.model_copy(update={"serving": flights.serving.model_copy(update={"cpu": cpu})})


@pytest.mark.parametrize(("cpu", "workers"), [(256, "1"), (1024, "1"), (2048, "2")])
def test_the_task_template_names_the_prediction_log(cpu: int, workers: str) -> None:
    environment = {pair["name"]: pair["value"] for pair in services.container_environment(with_cpu(cpu))}
    assert environment == {
        "WORKLOAD": "flights",
        "PORT": "8080",
        "WORKERS": workers,
        "PREDICTION_LOG": "firehose://nightjar-flights-predictions",
        "METRICS_NAMESPACE": "Nightjar/Serving",
    }
