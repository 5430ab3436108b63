"""One process that answers HTTP: uvicorn around an ASGI application, on sockets that the parent has bound."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from serving.app import create_app
from serving.middleware import Front
from serving.model import LoadedModel
from serving.settings import Settings
from serving.state import State

# Longer than a load balancer keeps an idle connection (ALB: 60 s, Caddy: 120 s): who closes must be the balancer, or it sends
# a request into a connection that has just been closed.
KEEP_ALIVE_SECONDS = 150
# What the telemetry gets to flush, after the last answer.
FLUSH_SECONDS = 5.0


def serve(
    settings: Settings, sockets: list[socket.socket], lifeline: int, model: LoadedModel, beat: Callable[[], None]
) -> None:
    """Serves the model until SIGTERM, or until the parent is gone: ``lifeline`` is a pipe whose other end only it holds.
    ``beat`` is called as long as the event loop turns.
    """
    # A batch that is checked in a thread must not keep the event loop from the interpreter for long.
    sys.setswitchinterval(0.001)
    state = State.make(settings, model)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        state.start()
        yield
        await state.stop(FLUSH_SECONDS)

    run(Front(state, create_app(state, lifespan)), settings, sockets, lifeline, beat, lifespan="on")


def run(
    app: ASGIApp,
    settings: Settings,
    sockets: list[socket.socket],
    lifeline: int,
    beat: Callable[[], None] = lambda: None,
    lifespan: str = "off",
) -> None:
    """Runs uvicorn to its end. SIGTERM: accept no more, finish what is under way, flush, return."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_seconds),
    )
    # uvicorn raises the signal again when it has ended; this process then simply returns.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server = _Server(config, lifeline, beat)
    server.run(sockets=sockets)
    if not server.started:
        raise RuntimeError("the process did not start; the log says why")


class _Server(uvicorn.Server):
    """Also ends when the parent has: without it nobody would replace the process, nor stop it."""

    def __init__(self, config: uvicorn.Config, lifeline: int, beat: Callable[[], None]) -> None:
        super().__init__(config)
        self._lifeline = lifeline
        self._beat = beat

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().add_reader(self._lifeline, self._parent_ended)
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        self._beat()
        return await super().on_tick(counter)

    def _parent_ended(self) -> None:
        if not os.read(self._lifeline, 1):
            asyncio.get_running_loop().remove_reader(self._lifeline)
            self.should_exit = True
