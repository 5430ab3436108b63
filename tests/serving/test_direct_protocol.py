"""Predictions answered without an ASGI cycle, against the same requests with one: same bytes, same telemetry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import pytest

from serving.api_keys import ApiKeys, Caller
from serving.app import ServiceApp
from serving.direct_answer import DirectPredict
from serving.direct_protocol import DirectProtocol
from serving.http_protocol import HttpProtocol
from serving.middleware import ServiceMiddleware
from serving.routes import ROUTES
from serving.state import State
from serving.telemetry import Finished
from tests.support.raw_cases import BODY, RAW_CASES, RawCase, post
from tests.support.request_cases import RECORDS
from tests.support.service import eventually
from tests.support.serving_state import SLOW, FakeModel, RecordingTelemetry, make_state
from tests.support.uvicorn_thread import Counting, conversation, uvicorn_thread

LAST = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Running:
    """A service in a thread, with what it reported."""

    def __init__(self, state: State, telemetry: RecordingTelemetry, app: Counting, port: int) -> None:
        self.state, self._telemetry, self._app, self._port = state, telemetry, app, port

    def answer(self, case: RawCase) -> tuple[bytes, list[Any], int]:
        """What is written for a case, what is reported, and the number of answers without a cycle."""
        self._telemetry.requests.clear()
        self._telemetry.predictions.clear()
        self._app.requests = 0
        last = None if case.ends else b"" if case.deaf else LAST
        written = conversation(self._port, case.packets, case.answers, last)
        # A request whose connection is closed may be reported after that, but before another that comes later.
        conversation(self._port, (LAST,), 1, None)
        assert eventually(lambda: self._app.open == 0)
        requests, predictions = self._telemetry.requests, self._telemetry.predictions
        events: list[Any] = [_timeless(one) for one in requests]
        events += [one._replace(time=0.0, request_id=_shown(one.request_id)) for one in predictions]
        return written, events, len(requests) - self._app.requests


def _timeless(request: Finished) -> dict[str, Any]:
    fields = msgspec.structs.asdict(request)
    assert 0 < fields["started"] <= fields["ended"]
    return {**fields, "started": 0, "ended": 0, "request_id": _shown(request.request_id)}


def _shown(request_id: str) -> str:
    """The request id, if it is the caller's."""
    return re.sub("^[0-9a-f]{32}", "", request_id)


@dataclass(frozen=True)
class Both:
    """A service with the direct protocol, and one without it."""

    direct: Running
    plain: Running

    def compare(self, case: RawCase) -> bytes:
        """Returns what is written for a case, after it was compared."""
        written, events, direct = self.direct.answer(case)
        expected, expected_events, none = self.plain.answer(case)
        assert written == expected
        assert events == expected_events
        assert none == 0
        if len(case.packets) == 1:
            assert direct == case.direct
        return written


@contextmanager
def both(make: Callable[[RecordingTelemetry], State]) -> Iterator[Both]:
    """Two services whose states are made by ``make``."""
    with ExitStack() as stack:

        def start(*, direct: bool) -> Running:
            telemetry = RecordingTelemetry()
            state = make(telemetry)
            app = Counting(ServiceMiddleware(state, ServiceApp(state)))
            protocol = partial(DirectProtocol, answer=DirectPredict(state)) if direct else HttpProtocol
            return Running(state, telemetry, app, stack.enter_context(uvicorn_thread(app, protocol)))

        yield Both(start(direct=True), start(direct=False))


@pytest.fixture(scope="module")
def services() -> Iterator[Both]:
    """Both services of the two-feature workload."""
    with both(lambda telemetry: make_state(telemetry=telemetry, prediction_log="kinesis://log")) as running:
        yield running


@pytest.mark.parametrize("case", RAW_CASES, ids=[case.name for case in RAW_CASES])
def test_raw_http(services: Both, case: RawCase) -> None:
    written = services.compare(case)
    assert written.count(b"HTTP/1.1 ") == case.answers + (not (case.ends or case.deaf))


@pytest.mark.parametrize(
    ("record", "status"), [(case[1], case[2]) for case in RECORDS], ids=[case[0] for case in RECORDS]
)
def test_every_record(services: Both, record: str, status: int) -> None:
    packet = post(body=record.encode())
    direct = services.direct.answer(RawCase("", (packet,)))[2]
    written = services.compare(RawCase("", (packet,), direct=direct))
    assert written.startswith(b"HTTP/1.1 %d " % status)
    assert direct == 0 or status == 200


def test_the_path_is_one_that_answers_at_once() -> None:
    answered = [(route.methods, route.path) for route in ROUTES if route.now]
    assert answered == [((DirectPredict.method.decode(),), DirectPredict.path.decode())]


class OneKey(ApiKeys):
    """The key ``right`` belongs to a caller who may send three requests."""

    def __init__(self) -> None:
        self._caller = Caller("web", per_second=1e-9, burst=3)

    def identify(self, key: bytes | None) -> Caller | None:
        return self._caller if key == b"right" else None


def test_keys_and_limits() -> None:
    right = b"X-Api-Key: right"
    packets = [
        (post(), 401, 0),
        (post(b"X-Api-Key: wrong"), 401, 0),
        (post(b"X-Api-Key:"), 401, 0),
        (post(right), 200, 1),
        (post(right, body=b"{}"), 422, 0),  # costs a token, and only one
        (post(right), 200, 1),
        (post(right), 429, 0),
    ]
    with both(lambda telemetry: make_state(telemetry=telemetry, api_keys=OneKey())) as services:
        for packet, status, direct in packets:
            case = RawCase("", (packet,), direct=direct)
            if status == 429:  # the answer says for how many seconds
                assert services.direct.answer(case)[0][:12] == services.plain.answer(case)[0][:12] == b"HTTP/1.1 429"
            else:
                assert services.compare(case).startswith(b"HTTP/1.1 %d " % status)


def _refuse(row: list[float]) -> float:
    raise ValueError("too odd")


def _crash(row: list[float]) -> float:
    raise RuntimeError("bug")


@pytest.mark.parametrize(
    ("score", "median", "changes", "status"),
    [
        (_refuse, 0.0, {}, 422),
        (_crash, 0.0, {}, 500),
        (lambda row: 0.5, SLOW, {}, 200),
        (lambda row: 0.5, 0.0, {"cache_entries": 10}, 200),
    ],
    ids=["refused row", "bug", "slow engine", "cache"],
)
def test_what_is_not_sure_gets_a_cycle(
    score: Callable[[list[float]], float], median: float, changes: dict[str, Any], status: int
) -> None:
    def make(telemetry: RecordingTelemetry) -> State:
        return make_state(FakeModel(score), median, telemetry=telemetry, prediction_log="kinesis://log", **changes)

    with both(make) as services:
        for _ in range(2):
            assert services.compare(RawCase("", (post(body=BODY),))).startswith(b"HTTP/1.1 %d " % status)
