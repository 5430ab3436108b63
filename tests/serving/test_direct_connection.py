"""The state of one connection on which predictions are answered without an ASGI cycle."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from uvicorn.server import ServerState

from serving.direct_answer import DirectPredict
from serving.direct_protocol import DirectProtocol
from serving.worker import uvicorn_config
from tests.support.raw_cases import BODY, post
from tests.support.serving_state import make_settings, make_state
from tests.support.uvicorn_thread import Counting


class FakeTransport(asyncio.Transport):
    """A connection that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


async def _answer_nothing(scope: Any, receive: Any, send: Any) -> None:
    pass


class Connection:
    """A connection of the direct protocol, and an application that counts requests and answers none."""

    def __init__(self) -> None:
        self.transport, self.app = FakeTransport(), Counting(_answer_nothing)
        config = uvicorn_config(self.app, make_settings(), "off", DirectProtocol)
        answer = DirectPredict(make_state())
        self.protocol = DirectProtocol(config, ServerState(), {}, answer=answer)
        self.protocol.connection_made(self.transport)

    async def receive(self, packet: bytes) -> None:
        """Lets a packet arrive, and the event loop run."""
        self.protocol.data_received(packet)
        await asyncio.sleep(0)


def test_a_connection_whose_client_does_not_read_gets_a_cycle() -> None:
    async def scenario() -> None:
        connection = Connection()
        connection.protocol.pause_writing()
        await connection.receive(post())
        assert (connection.transport.written, connection.app.requests) == (b"", 1)

    asyncio.run(scenario())


def test_a_connection_that_is_closing_gets_a_cycle() -> None:
    async def scenario() -> None:
        connection = Connection()
        connection.transport.close()
        await connection.receive(post())
        assert connection.app.requests == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(("end", "cycles"), [(BODY, 0), (b"[]", 1)], ids=["answered", "left to a cycle"])
def test_an_idle_connection_keeps_no_body(end: bytes, cycles: int) -> None:
    async def scenario() -> None:
        connection = Connection()
        body = b" " * 800 + end
        await connection.receive(post(body=body))
        assert connection.app.requests == cycles
        assert not [one for one in vars(connection.protocol).values() if isinstance(one, bytes) and len(one) > 800]

    asyncio.run(scenario())


def test_an_answered_connection_waits_for_the_next_request_and_closes_at_the_end_of_the_service() -> None:
    async def scenario() -> None:
        connection = Connection()
        protocol = connection.protocol
        await connection.receive(post())
        waiting = protocol.timeout_keep_alive_task
        assert waiting is not None and not waiting.cancelled()
        await connection.receive(post())
        assert waiting.cancelled() and protocol.timeout_keep_alive_task is not None
        assert (connection.transport.written.count(b"HTTP/1.1 200 OK"), connection.app.requests) == (2, 0)
        assert protocol.server_state.total_requests == 2
        protocol.shutdown()
        assert connection.transport.closed

    asyncio.run(scenario())
