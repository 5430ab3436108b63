"""POST /feedback: 202 means that the label event is on the stream; everything else names what to do."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.pipelines.ingest.decode import decode
from include.workloads import FieldSpec
from include.workloads import load as load_workload
from serving import feedback as module
from serving.api_keys import ApiKeys, Caller
from serving.app import ServiceApp
from serving.errors import HttpError
from serving.feedback import Feedback, LabelEvent
from serving.middleware import ServiceMiddleware
from serving.telemetry.streams import StreamRecord
from tests.support.asgi import Response, request
from tests.support.serving_state import RecordingTelemetry, make_settings, make_state

PRESENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LABEL = LabelEvent("landed", {"arr_delay": FieldSpec(type="number", min=-240, max=3000)})
GOOD = {"request_id": "r-1", "key": "UA1", "time": "2026-03-01T10:00:00Z", "outcome": {"arr_delay": 17.5}}
JSON = {"content-type": "application/json"}


class FakeStream:
    """A stream that keeps what is put, or answers in another way."""

    uri, pack_bytes = "kinesis://s", 0

    def __init__(self) -> None:
        self.records: list[StreamRecord] = []
        self.refusal = ""
        self.error: Exception | None = None
        self.blocked = threading.Event()
        self.blocked.set()

    def put(self, batch: list[StreamRecord]) -> list[str]:
        self.blocked.wait(30)
        if self.error:
            raise self.error
        self.records += [] if self.refusal else batch
        return [self.refusal for _ in batch]


class OneKey(ApiKeys):
    """One caller, whose key is ``right``."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def identify(self, key: bytes | None) -> Caller | None:
        return self.caller if key == b"right" else None


@pytest.fixture
def stream() -> Iterator[FakeStream]:
    made = FakeStream()
    yield made
    made.blocked.set()


def service(stream: FakeStream, **state: Any) -> ServiceMiddleware:
    made = make_state(**state)
    made.feedback = Feedback(stream, LABEL, lambda: PRESENT)
    return ServiceMiddleware(made, ServiceApp(made))


def send(app: ServiceMiddleware, body: Any, **headers: str) -> Response:
    return request(app, "POST", "/feedback", json.dumps(body).encode(), {**JSON, **headers})


def test_an_outcome_is_a_label_event_that_ingestion_reads(stream: FakeStream) -> None:
    answer = send(service(stream), GOOD)
    assert answer.status_code == 202
    recorded = "2026-03-01T12:00:00.000000Z"
    assert answer.json() == {"event_type": "landed", "key": "UA1", "recorded_at": recorded}
    (record,) = stream.records
    event = json.loads(record.data)
    assert event == {
        "event_type": "landed",
        "key": "UA1",
        "event_time": "2026-03-01T10:00:00Z",
        "recorded_at": recorded,
        "request_id": "r-1",
        "payload": {"arr_delay": 17.5},
    }
    assert record.key == "UA1", "all events of a key are in one shard"
    assert decode(bytes(record.data)).day == "2026-03-01"


def test_without_a_key_the_request_id_is_the_key(stream: FakeStream) -> None:
    body = {name: value for name, value in GOOD.items() if name != "key"}
    assert send(service(stream), body).json()["key"] == "r-1"


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"outcome": {"arr_delay": 5000}}, "outcome.arr_delay", "is above the maximum 3000"),
        ({"outcome": {"arr_delay": None}}, "outcome.arr_delay", "is missing"),
        ({"outcome": {"arr_delay": 1, "mood": 2}}, "outcome.mood", "is not a field of landed"),
        ({"outcome": 17}, "outcome", "must be an object with the fields arr_delay"),
        ({"request_id": "a b"}, "request_id", "must be the id in the header x-request-id"),
        ({"request_id": None}, "request_id", "must be the id"),
        ({"key": ""}, "key", "must be a text of 1 to 256"),
        ({"key": "\ud800"}, "key", "must be a text"),
        ({"time": "2026-03-01T10:00:00"}, "time", "must be an ISO 8601 time with an offset"),
        ({"time": 7}, "time", "must be an ISO 8601 time"),
        ({"time": "2026-03-01T12:06:00Z"}, "time", "is in the future"),
        ({"label": 1}, "label", "is not a field of feedback"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    stream: FakeStream, changes: dict[str, Any], field: str, message: str
) -> None:
    answer = send(service(stream), {**GOOD, **changes})
    assert answer.status_code == 422
    (problem,) = answer.json()["fields"]
    assert problem["field"] == field and message in problem["message"]
    assert stream.records == []


def test_a_body_that_is_no_object_is_refused(stream: FakeStream) -> None:
    assert send(service(stream), [GOOD]).status_code == 422
    assert request(service(stream), "POST", "/feedback", b"{", JSON).status_code == 400
    assert request(service(stream), "POST", "/feedback", b"{}", {}).status_code == 415


@pytest.mark.parametrize("failure", ["refused", "raised"])
def test_what_is_not_stored_is_no_202(stream: FakeStream, failure: str) -> None:
    if failure == "refused":
        stream.refusal = "ProvisionedThroughputExceededException: too fast"
    else:
        stream.error = OSError("no network")
    answer = send(service(stream), GOOD)
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
    assert answer.json()["error"] == "the outcome could not be stored; send it again"


def test_a_stream_that_does_not_answer_is_given_up(stream: FakeStream) -> None:
    stream.blocked.clear()
    slow = Feedback(stream, LABEL, lambda: PRESENT, put_seconds=0.05)
    with pytest.raises(HttpError, match="could not be stored"):
        asyncio.run(slow.accept(GOOD))


def test_more_than_is_allowed_at_once_is_refused_at_once(stream: FakeStream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IN_PROGRESS", 1)
    made = Feedback(stream, LABEL, lambda: PRESENT)
    stream.blocked.clear()

    async def two() -> Any:
        first = asyncio.ensure_future(made.accept(GOOD))
        await asyncio.sleep(0)
        with pytest.raises(HttpError, match="too much feedback is in progress"):
            await made.accept(GOOD)
        stream.blocked.set()
        return await first

    assert asyncio.run(two()).key == "UA1"
    assert asyncio.run(made.accept(GOOD)).key == "UA1", "the place is free again"


def test_keys_and_limits_are_those_of_predictions(stream: FakeStream) -> None:
    telemetry = RecordingTelemetry()
    caller = Caller("web", per_second=0.001, burst=1)
    app = service(stream, api_keys=OneKey(caller), telemetry=telemetry)
    assert send(app, GOOD).status_code == 401
    assert send(app, GOOD, **{"x-api-key": "right"}).status_code == 202
    assert send(app, GOOD, **{"x-api-key": "right"}).status_code == 429
    assert [(one.caller, one.scores) for one in telemetry.requests] == [("", False), ("web", False), ("", False)]


def test_a_service_without_a_stream_accepts_none() -> None:
    state = make_state()
    answer = send(ServiceMiddleware(state, ServiceApp(state)), GOOD)
    assert answer.status_code == 403 and "accepts no feedback" in answer.json()["error"]


def test_the_label_event_is_that_of_the_images_workload() -> None:
    assert Feedback.open(make_settings()) is None
    assert Feedback.open(make_settings(feedback_stream="s", workload="nobody")) is None, "predictions go on"
    made = Feedback.open(make_settings(feedback_stream="s", workload="flights"))
    assert made is not None
    landed = load_workload("flights").events["landed"].fields
    late = {**GOOD, "time": (datetime.now(UTC) - timedelta(days=1)).isoformat(), "outcome": {"arr_delay": 1e6}}
    assert "arr_delay" in landed
    with pytest.raises(HttpError, match=r"outcome\.arr_delay"):
        asyncio.run(made.accept(late))
