from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from infra.laptop.free_ports import free_port
from serving import listeners, worker
from serving.startup import StartupApp
from tests.support.serving_state import make_settings

pytestmark = pytest.mark.stack
PATIENCE_SECONDS = 10


@pytest.fixture
def restored_signals() -> Iterator[None]:
    """The handlers of SIGTERM and SIGINT are restored after the test."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("restored_signals")
def test_a_signal_before_uvicorn_handles_signals_ends_the_worker(monkeypatch: pytest.MonkeyPatch):
    """A bundle that fails to load at once ends the startup process while it still starts."""
    run, second = uvicorn.Server.run, threading.Event()

    def signalled_run(server: uvicorn.Server, **arguments: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        run(server, **arguments)  # type: ignore[arg-type]  # the arguments of the worker

    def signal_again() -> None:
        second.set()
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(uvicorn.Server, "run", signalled_run)
    (group,) = listeners.open_listeners("127.0.0.1", [free_port()], 1)
    updates, parent = os.pipe(), os.pipe()
    timer = threading.Timer(PATIENCE_SECONDS, signal_again)
    timer.start()
    try:
        worker.serve_app(StartupApp(updates[0]), make_settings(), group, parent[0])
    finally:
        timer.cancel()
        listeners.close([group])
        for descriptor in (*updates, *parent):
            os.close(descriptor)
    assert not second.is_set(), "the first signal was lost"
