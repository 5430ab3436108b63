"""What tests of telemetry share: events, the Prometheus text as a dictionary, and a pipe that is full."""

from __future__ import annotations

import os
from typing import Any

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from serving.telemetry import Finished, Prediction, ServedModel

MODEL = ServedModel("texts", "7", "0" * 64, "onnxruntime")


def finished(**changes: Any) -> Finished:
    """A prediction that took 4.2 ms, with these changes."""
    usual = Finished(
        method="POST",
        route="/predict",
        path="/predict",
        status=200,
        started=100.0,
        ended=100.0042,
        request_id="r-1",
        caller="",
        trace_header=b"",
        bytes_in=60,
        bytes_out=70,
        warnings=0,
        cache="",
        refusal="",
        quiet=False,
        scores=True,
    )
    return msgspec.structs.replace(usual, **changes)


def health_check(**changes: Any) -> Finished:
    """A health check, with these changes."""
    return finished(
        **{"method": "GET", "route": "/health", "path": "/health", "quiet": True, "scores": False, **changes}
    )


def prediction(number: int, **record: object) -> Prediction:
    """The prediction of request ``r-<number>``; ``record`` adds fields to its record."""
    return Prediction(f"r-{number}", {"text_length": 120, "num_keywords": 3, **record}, 0.75, 1)


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """The values in a Prometheus text by name and label values, in the alphabetical order of the labels."""
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found[sample.name, *(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


def fill(descriptor: int) -> None:
    """Writes until the pipe accepts no more."""
    os.set_blocking(descriptor, False)
    try:
        while True:
            os.write(descriptor, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(descriptor, True)
