"""The fast path against FastAPI's reference handlers: the same status and the same bytes in every case."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from serving.app import ServiceApp
from serving.middleware import ServiceMiddleware
from serving.state import State
from tests.support.asgi import Response, post, send
from tests.support.request_cases import GOOD, RECORDS
from tests.support.serving_state import SLOW, FakeModel, RecordingTelemetry, make_state

JSON = {"content-type": "application/json"}
AROUND = [
    (b"", JSON),
    (b"\xff\xfe{\x00}\x00", JSON),
    (b"\xef\xbb\xbf" + GOOD.encode(), JSON),
    (GOOD.encode(), {}),
    (GOOD.encode(), {"content-type": "text/plain"}),
    (GOOD.encode(), {"content-type": "Application/JSON; charset=utf-8"}),
    (gzip.compress(GOOD.encode()), {**JSON, "content-encoding": "gzip"}),
    (GOOD.encode(), {**JSON, "content-encoding": "identity"}),
    (b" " * 20_001, JSON),
    (GOOD.encode(), {**JSON, "content-length": "9" * 30}),
]
BATCHES = ["[]", "{}", GOOD, '{"records": []}', '{"records": null}', f'{{"records": [{GOOD}], "more": 1}}',
           f'{{"records": [{", ".join([GOOD] * 50)}]}}', f'{{"records": [{", ".join([GOOD] * 51)}]}}',
           f'{{"records": [{GOOD}], "records": [{GOOD}]}}']  # fmt: skip


@pytest.fixture(scope="module")
def state() -> State:
    return make_state()


def service(state: State) -> ServiceMiddleware:
    return ServiceMiddleware(state, ServiceApp(state))


def both(state: State, path: str, content: bytes, headers: dict[str, str]) -> Response:
    """The fast path's answer, after it was compared with the reference's."""
    reference = ServiceMiddleware(state, ServiceApp(state), use_fast_path=False)
    fast, slow = post(service(state), path, content, headers), post(reference, path, content, headers)
    assert fast.status_code == slow.status_code
    assert fast.content == slow.content
    assert dict(fast.headers) == dict(slow.headers)
    return fast


@pytest.mark.parametrize(("name", "record", "status", "field"), RECORDS, ids=[case[0] for case in RECORDS])
def test_every_record(state: State, name: str, record: str, status: int, field: str | None):
    assert both(state, "/predict", record.encode(), JSON).status_code == status
    batch = f'{{"records": [{GOOD}, {record}]}}'.encode()
    assert both(state, "/predict/batch", batch, JSON).status_code == status


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
@pytest.mark.parametrize(("content", "headers"), AROUND)
def test_every_request_around_a_record(state: State, path: str, content: bytes, headers: dict[str, str]):
    both(state, path, content, headers)


@pytest.mark.parametrize("body", BATCHES)
def test_every_batch_around_its_records(state: State, body: str):
    both(state, "/predict/batch", body.encode(), JSON)


@pytest.mark.parametrize("median", [0.0, SLOW])
def test_a_valid_record_that_the_model_refuses(median: float):
    def refuse(row: list[float]) -> float:
        raise ValueError("too odd")

    state = make_state(FakeModel(refuse), median)
    assert both(state, "/predict", GOOD.encode(), JSON).status_code == 422
    answer = both(state, "/predict/batch", f'{{"records": [{GOOD}]}}'.encode(), JSON)
    assert answer.status_code == 422 and answer.json()["fields"][0]["index"] == 0


def test_warnings_are_part_of_the_answer(state: State):
    answer = both(state, "/predict", json.dumps({"text_length": 99_999, "num_keywords": 3}).encode(), JSON).json()
    assert answer["warnings"] == [{"field": "text_length", "message": "is above the maximum 10000"}]


def test_cached_answers_are_the_same_and_are_reported():
    model, telemetry = FakeModel(lambda row: row[0] / 1000), RecordingTelemetry()
    app = service(make_state(model, telemetry=telemetry, cache_entries=10))
    first = post(app, "/predict", b'{"text_length": 120, "num_keywords": 3}', JSON)
    again = post(app, "/predict", b'{"num_keywords":3.0,"text_length":1.2e2}', JSON)
    other = post(app, "/predict", b'{"text_length": 121, "num_keywords": 3}', JSON)
    assert first.content == again.content != other.content
    assert [request.cache for request in telemetry.requests] == ["miss", "hit", "miss"] and model.calls == [1, 1]


def test_requests_beyond_the_capacity_are_answered_503_with_retry_after():
    app = service(make_state(FakeModel(lambda row: 0.5, seconds=0.05), SLOW, max_in_flight=2))

    async def burst() -> list[Response]:
        sent = [send(app, "POST", "/predict", GOOD.encode(), JSON) for _ in range(6)]
        return await asyncio.gather(*sent, send(app, "GET", "/health"))

    *answers, health = asyncio.run(burst())
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503, 503, 503, 503]
    assert health.status_code == 200
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 503)
