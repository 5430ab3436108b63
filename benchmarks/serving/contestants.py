"""The contestants: how each server is started, the form of its requests, and how its answers are read."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serving import forest, sink
from benchmarks.serving.agree import Reader
from benchmarks.serving.forest import Forest
from benchmarks.serving.inputs import Form
from benchmarks.serving.servers import Server
from infra.laptop.free_ports import free_port

APPS = Path(__file__).with_name("apps")
SOURCE, FASTAPI_NOOP, ASGI_NOOP = "the source's service", "FastAPI no-op", "bare ASGI no-op"
OURS, OURS_OFF, OURS_SLOW = "nightjar, all on", "nightjar, telemetry off", "nightjar, slow engine"
OURS_MEDIUM = "nightjar, 5,000 rows"


@dataclass(frozen=True)
class Contestant:
    """A server to measure.

    Attributes:
        name: Its name in the report.
        argv: Its command; ``{port}`` is replaced by the port.
        environment: Its environment variables, likewise.
        form: The form of its requests.
        read: Reads its answers; None if there is nothing to compare.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    form: Form = field(default_factory=Form)
    read: Reader | None = None

    def start(self, log: Path, allowed: set[int] | None) -> Server:
        """Starts the server on a free port, on these cores only (None: on all)."""
        port = free_port()
        argv = [part.replace("{port}", str(port)) for part in self.argv]
        environment = {name: value.replace("{port}", str(port)) for name, value in self.environment.items()}
        return Server(argv, environment, port, log, allowed)


def read_ours(body: bytes) -> tuple[float | None, int | None]:
    """Reads an answer of the service."""
    answer = json.loads(body)
    return answer["probability"], answer["prediction"]


def read_label(body: bytes) -> tuple[float | None, int | None]:
    """Reads an answer that has only a label."""
    return None, json.loads(body)["prediction"]


def uvicorn(app: str, *options: str) -> tuple[str, ...]:
    """The command of uvicorn with its defaults: uvloop and httptools if installed, access log on."""
    arguments = ("-m", "uvicorn", f"{app}:app", "--app-dir", str(APPS), "--host", "127.0.0.1", "--port", "{port}")
    return (sys.executable, *arguments, *options)


def source(model: Forest, *options: str) -> Contestant:
    """The source's service, which answers labels only."""
    return Contestant(SOURCE, uvicorn("source", *options), {"MODEL_PATH": str(model.model)}, read=read_label)


def noops() -> list[Contestant]:
    """The no-ops. They log nothing, which makes them harder to beat."""
    return [
        Contestant(FASTAPI_NOOP, uvicorn("fastapi_noop", "--no-access-log")),
        Contestant(ASGI_NOOP, uvicorn("asgi_noop", "--no-access-log")),
    ]


def ours(
    name: str,
    packed: Path,
    workers: int = 1,
    sink_port: int | None = None,
    path: str = "/predict",
    telemetry: bool = True,
) -> Contestant:
    """The service without caches.

    Args:
        name: Its name in the report.
        packed: The bundle.
        workers: Number of workers.
        sink_port: Port of the sink (``benchmarks.serving.sink``). With it, requests need an API key.
        path: Path of the requests.
        telemetry: Whether all telemetry is sent to the sink, or none.
    """
    environment = {
        "HOST": "127.0.0.1",
        "PORT": "{port}",
        "BUNDLE_URI": packed.as_uri(),
        "DEVELOPMENT": "true",
        "BUNDLE_DIGEST": hashlib.sha256(packed.read_bytes()).hexdigest(),
        "MODEL_VERSION": "1",
        "WORKLOAD": forest.WORKLOAD,
        "WORKERS": str(workers),
        "CACHE_ENTRIES": "0",
        "ACCESS_LOG_LINES": "0",
    }
    headers: tuple[tuple[str, str], ...] = ()
    if sink_port is not None:
        environment |= _keys(f"http://127.0.0.1:{sink_port}")
        headers = (("x-api-key", sink.API_KEY),)
        if telemetry:
            environment |= _telemetry(f"http://127.0.0.1:{sink_port}")
    return Contestant(name, (sys.executable, "-m", "serving"), environment, Form(path, headers=headers), read_ours)


def _keys(url: str) -> dict[str, str]:
    return {
        "API_KEYS_SECRET": sink.SECRET,
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
    }


def _telemetry(url: str) -> dict[str, str]:
    """Access log, embedded metrics, traces and prediction log. Prometheus metrics are always on."""
    return {
        "ACCESS_LOG_LINES": "10000",
        "METRICS_NAMESPACE": "Nightjar/Bench",
        "METRICS_INTERVAL_SECONDS": "10",
        "TRACE_RATIO": "0.01",
        "TRACES_PER_SECOND": "1000000",  # one in a hundred, whatever the rate
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "PREDICTION_LOG": "firehose://bench",
    }
