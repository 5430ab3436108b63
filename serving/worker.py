"""A process that answers HTTP: uvicorn around an ASGI application, on sockets that the supervisor has opened."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Literal

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from include.errors import NightjarError
from serving.app import ServiceApp
from serving.direct_answer import DirectPredict
from serving.direct_protocol import DirectProtocol
from serving.http_protocol import HttpProtocol
from serving.middleware import ServiceMiddleware
from serving.model import LoadedModel
from serving.neighbours import Neighbours
from serving.settings import Settings
from serving.state import State

# Longer than a load balancer keeps an idle connection (ALB: 60 s, Caddy: 120 s). If the service closed it first, the
# load balancer could send a request into a closed connection.
KEEP_ALIVE_SECONDS = 150
# Time for telemetry to send what it has buffered, after the last answer.
FLUSH_SECONDS = 5.0


class WorkerStartError(NightjarError):
    """uvicorn did not start. The log has the reason."""


def serve(
    settings: Settings,
    sockets: list[socket.socket],
    parent_pipe: int,
    model: LoadedModel,
    heartbeat: Callable[[], None],
    neighbours: Neighbours,
) -> None:
    """Serves the model until SIGTERM, or until the supervisor is gone.

    Args:
        settings: The service's settings.
        sockets: This worker's listening sockets.
        parent_pipe: Read end of a pipe whose write end only the supervisor has open.
        model: The loaded model.
        heartbeat: Called as long as the event loop is not blocked.
        neighbours: The other workers.

    Raises:
        ApiKeysError: The callers' keys cannot be read.
        WorkerStartError: uvicorn did not start.
    """
    # A batch that is checked in a thread must not keep the interpreter from the event loop for long.
    sys.setswitchinterval(0.001)
    state = State.make(settings, model)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        state.start()
        yield
        await state.stop(FLUSH_SECONDS)

    app = ServiceMiddleware(state, ServiceApp(state, lifespan))
    config = uvicorn_config(app, settings, "on", partial(DirectProtocol, answer=DirectPredict(state)))
    _run(_Server(config, parent_pipe, heartbeat, neighbours), sockets)


def serve_app(app: ASGIApp, settings: Settings, sockets: list[socket.socket], parent_pipe: int) -> None:
    """Serves another ASGI application, as long as :func:`serve` would.

    Raises:
        WorkerStartError: uvicorn did not start.
    """
    _run(_Server(uvicorn_config(app, settings, "off", HttpProtocol), parent_pipe), sockets)


def uvicorn_config(
    app: ASGIApp, settings: Settings, lifespan: Literal["on", "off"], protocol: Callable[..., HttpProtocol]
) -> uvicorn.Config:
    """Returns the configuration of uvicorn.

    Args:
        app: The application.
        settings: The service's settings.
        lifespan: Whether the application is told of start and end.
        protocol: Makes the protocol of a connection.
    """
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=protocol,  # type: ignore[arg-type]  # uvicorn only calls it
        ws="none",
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing depends on the caller's address or scheme
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_seconds),
    )


def _run(server: _Server, sockets: list[socket.socket]) -> None:
    """Runs uvicorn. On SIGTERM it accepts no more connections, finishes open requests, and returns."""
    # Until uvicorn has started it does not handle signals itself. It also raises them again after it has ended; this
    # process then simply returns.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.request_exit)
    server.run(sockets=sockets)
    if not server.started:
        raise WorkerStartError("uvicorn did not start; the log lines before this one have the reason")


class _Server(uvicorn.Server):
    """Also ends when the supervisor is gone, because nobody would stop or replace the worker."""

    def __init__(
        self,
        config: uvicorn.Config,
        parent_pipe: int,
        heartbeat: Callable[[], None] = lambda: None,
        neighbours: Neighbours | None = None,
    ) -> None:
        super().__init__(config)
        self._neighbours = neighbours
        self._parent_pipe = parent_pipe
        self._heartbeat = heartbeat

    def request_exit(self, *_: object) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().add_reader(self._parent_pipe, self._on_parent_gone)
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        self._heartbeat()
        if self._neighbours:
            await self._neighbours.look(time.monotonic(), self._protocol)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._neighbours:
            self._neighbours.close()
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        """The protocol of a connection, as uvicorn makes it for its own sockets."""
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(self.config, self.server_state, self.lifespan.state)

    def _on_parent_gone(self) -> None:
        if not os.read(self._parent_pipe, 1):
            asyncio.get_running_loop().remove_reader(self._parent_pipe)
            self.should_exit = True
