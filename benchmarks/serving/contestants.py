"""Who is measured: how each server is started, how it wants a request, how its answer is read."""

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
from benchmarks.serving.servers import Server, free_port

APPS = Path(__file__).with_name("apps")
SOURCE, FASTAPI_NOOP, ASGI_NOOP = "the source's service", "FastAPI no-op", "bare ASGI no-op"
OURS, OURS_OFF, OURS_SLOW = "nightjar, all on", "nightjar, telemetry off", "nightjar, slow rung"


@dataclass(frozen=True)
class Contestant:
    """``argv`` and ``environment`` have ``{port}`` where the port goes; ``read`` is None where there is nothing to compare."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    form: Form = field(default_factory=Form)
    read: Reader | None = None

    def start(self, log: Path, allowed: set[int] | None) -> Server:
        """A process of it on a free port, on these cores only (None: on all)."""
        port = free_port()
        argv = [part.replace("{port}", str(port)) for part in self.argv]
        environment = {name: value.replace("{port}", str(port)) for name, value in self.environment.items()}
        return Server(argv, environment, port, log, allowed)


def read_ours(body: bytes) -> tuple[float | None, int | None]:
    answer = json.loads(body)
    return answer["probability"], answer["prediction"]


def read_label(body: bytes) -> tuple[float | None, int | None]:
    return None, json.loads(body)["prediction"]


def uvicorn(app: str, *options: str) -> tuple[str, ...]:
    """uvicorn as installed: uvloop and httptools where it finds them, its access log on."""
    arguments = ("-m", "uvicorn", f"{app}:app", "--app-dir", str(APPS), "--host", "127.0.0.1", "--port", "{port}")
    return (sys.executable, *arguments, *options)


def source(model: Forest, *options: str) -> Contestant:
    """The source's service; it answers labels only."""
    return Contestant(SOURCE, uvicorn("source", *options), {"MODEL_PATH": str(model.model)}, read=read_label)


def noops() -> list[Contestant]:
    """Neither logs a line, which makes them the harder yardsticks."""
    return [
        Contestant(FASTAPI_NOOP, uvicorn("fastapi_noop", "--no-access-log")),
        Contestant(ASGI_NOOP, uvicorn("asgi_noop", "--no-access-log")),
    ]


def ours(
    name: str, packed: Path, workers: int = 1, sink_port: int | None = None, path: str = "/predict", tells: bool = True
) -> Contestant:
    """The service on a bundle, caches off. With a sink, callers need a key, and it ``tells`` everything it can, or nothing."""
    environment = {
        "HOST": "127.0.0.1",
        "PORT": "{port}",
        "BUNDLE_URI": packed.as_uri(),
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
        if tells:
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
    """Access log, embedded metrics, traces and prediction log, all into the sink; Prometheus metrics are always on."""
    return {
        "ACCESS_LOG_LINES": "10000",
        "METRICS_NAMESPACE": "Nightjar/Bench",
        "METRICS_INTERVAL_SECONDS": "10",
        "TRACE_RATIO": "0.01",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "PREDICTION_LOG": "firehose://bench",
    }
