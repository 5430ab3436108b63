"""The thin lane against FastAPI's reference routes: the same status and the same bytes for every case."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest

from serving.api_keys import Caller
from serving.app import create_app
from serving.middleware import Front
from serving.state import State
from tests.serving.cases import GOOD, RECORDS
from tests.serving.states import SLOW, Model, make_state

JSON = {"content-type": "application/json"}
ID = {"x-request-id": "the-same"}
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


def post(app: Any, path: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.post(path, content=content, headers={**headers, **ID})

    return asyncio.run(send())


def same(state: State, path: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
    """The lane's answer, after it was compared with the reference's (inside the same front, so that refusals look alike)."""
    reference = Front(state, create_app(state))
    reference._lanes = {}
    ours, theirs = (
        post(Front(state, create_app(state)), path, content, headers),
        post(reference, path, content, headers),
    )
    assert ours.status_code == theirs.status_code
    assert ours.content == theirs.content
    assert dict(ours.headers) == dict(theirs.headers)
    return ours


@pytest.mark.parametrize(("name", "record", "status", "field"), RECORDS, ids=[case[0] for case in RECORDS])
def test_every_record(state: State, name: str, record: str, status: int, field: str | None):
    assert same(state, "/predict", record.encode(), JSON).status_code == status
    batch = f'{{"records": [{GOOD}, {record}]}}'.encode()
    assert same(state, "/predict/batch", batch, JSON).status_code == status


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
@pytest.mark.parametrize(("content", "headers"), AROUND)
def test_every_request_around_a_record(state: State, path: str, content: bytes, headers: dict[str, str]):
    same(state, path, content, headers)


@pytest.mark.parametrize("body", BATCHES)
def test_every_batch_around_its_records(state: State, body: str):
    same(state, "/predict/batch", body.encode(), JSON)


def test_a_valid_record_that_the_model_refuses():
    def refuse(row: list[float]) -> float:
        raise ValueError("too odd")

    for median in (0.0, SLOW):
        state = make_state(Model(refuse), median)
        assert same(state, "/predict", GOOD.encode(), JSON).status_code == 422
        answer = same(state, "/predict/batch", f'{{"records": [{GOOD}]}}'.encode(), JSON)
        assert answer.status_code == 422 and answer.json()["fields"][0]["index"] == 0


def test_a_bug_is_a_500_in_json():
    def crash(row: list[float]) -> float:
        raise RuntimeError("bug")

    answer = post(Front(state := make_state(Model(crash)), create_app(state)), "/predict", GOOD.encode(), JSON)
    assert answer.status_code == 500 and answer.json()["request_id"] == "the-same"


def test_cached_answers_are_the_same_and_are_told():
    calls = Model(lambda row: row[0] / 1000)
    state = make_state(calls, cache_entries=10)
    front = Front(state, create_app(state))
    first = post(front, "/predict", b'{"text_length": 120, "num_keywords": 3}', JSON)
    again = post(front, "/predict", b'{"num_keywords":3.0,"text_length":1.2e2}', JSON)
    other = post(front, "/predict", b'{"text_length": 121, "num_keywords": 3}', JSON)
    assert first.content == again.content != other.content
    assert [request.cache for request in state.telemetry.requests] == ["miss", "hit", "miss"] and calls.calls == [1, 1]


def test_what_telemetry_is_told():
    state = make_state(prediction_log="kinesis://log")
    front = Front(state, create_app(state))
    post(front, "/predict", b'{"text_length": 99999, "num_keywords": 3}', JSON)
    post(front, "/predict", b"{}", JSON)
    post(front, "/nowhere/else", b"", {})
    good, bad, lost = state.telemetry.requests
    assert (good.route, good.status, good.request_id, good.warnings, good.refusal) == (
        "/predict",
        200,
        "the-same",
        1,
        "",
    )
    assert good.bytes_in == 41 and good.bytes_out > 40 and good.ended > good.started
    assert bad.status == 422 and bad.refusal and (lost.route, lost.status) == ("other", 404)
    (predicted,) = state.telemetry.predictions
    assert predicted.record == {"text_length": 99999.0, "num_keywords": 3} and 0 <= predicted.probability <= 1


def test_too_much_work_is_a_503_that_says_when():
    state = make_state(Model(lambda row: 0.5, seconds=0.05), SLOW, max_in_flight=2)
    front = Front(state, create_app(state))

    async def burst() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=front)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            sent = [client.post("/predict", content=GOOD, headers=JSON) for _ in range(6)]
            return await asyncio.gather(*sent, client.get("/health"))

    *answers, health = asyncio.run(burst())
    assert (
        sorted(answer.status_code for answer in answers) == [200, 200, 503, 503, 503, 503] and health.status_code == 200
    )
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 503)


class OneCaller:
    """Callers as the front asks them."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def identify(self, key: bytes | None) -> Caller | None:
        return self._caller if key == b"right" else None


def test_keys_and_limits():
    state = make_state(callers=OneCaller(Caller("web", per_second=1.0, burst=2)))
    front = Front(state, create_app(state))
    assert post(front, "/predict", GOOD.encode(), JSON).status_code == 401
    assert post(front, "/predict", GOOD.encode(), {**JSON, "x-api-key": "wrong"}).status_code == 401
    right = {**JSON, "x-api-key": "right"}
    answers = [post(front, path, GOOD.encode(), right) for path in ("/predict", "/predict/batch", "/predict")]
    assert [answer.status_code for answer in answers] == [200, 422, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1 and "web" in answers[-1].json()["error"]
    assert state.telemetry.requests[-1].caller == ""
    assert state.telemetry.requests[2].caller == "web"


@pytest.mark.parametrize("path", ["/metrics", "/version", "/golden", "/openapi.json", "/docs", "/"])
def test_the_internal_listener(path: str):
    state = make_state(internal_port=9090)
    front = Front(state, create_app(state))

    async def get(port: int) -> int:
        transport = httpx.ASGITransport(app=front)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://service:{port}") as client:
            return (await client.get(path)).status_code

    assert asyncio.run(get(8080)) == 404 and asyncio.run(get(9090)) == 200


def test_warnings_are_part_of_the_answer(state: State):
    answer = same(state, "/predict", json.dumps({"text_length": 99_999, "num_keywords": 3}).encode(), JSON).json()
    assert answer["warnings"] == [{"field": "text_length", "message": "is above the maximum 10000"}]
