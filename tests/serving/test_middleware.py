"""What the outermost layer adds to every request: ids, keys and limits, telemetry, and JSON for an internal error."""

from __future__ import annotations

from serving.api_keys import ApiKeys, Caller
from serving.app import ServiceApp
from serving.middleware import ServiceMiddleware
from serving.state import State
from tests.support.asgi import post, request
from tests.support.request_cases import GOOD
from tests.support.serving_state import FakeModel, RecordingTelemetry, make_state

JSON = {"content-type": "application/json"}
BODY = GOOD.encode()


class OneKey(ApiKeys):
    """The key ``right`` belongs to the caller."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def identify(self, key: bytes | None) -> Caller | None:
        return self._caller if key == b"right" else None


def service(state: State, *, use_fast_path: bool = True) -> ServiceMiddleware:
    return ServiceMiddleware(state, ServiceApp(state), use_fast_path=use_fast_path)


def test_an_internal_error_is_a_500_in_json():
    def crash(row: list[float]) -> float:
        raise RuntimeError("bug")

    answer = post(service(make_state(FakeModel(crash))), "/predict", BODY, JSON)
    assert answer.status_code == 500 and answer.json()["request_id"] == "the-same"
    assert "bug" not in answer.text


def test_every_request_is_reported():
    telemetry = RecordingTelemetry()
    app = service(make_state(telemetry=telemetry, prediction_log="kinesis://log"))
    post(app, "/predict", b'{"text_length": 99999, "num_keywords": 3}', JSON)
    post(app, "/predict", b"{}", JSON)
    post(app, "/nowhere/else", b"", {})
    request(app, "GET", "/health")
    good, bad, unknown, health = telemetry.requests
    assert (good.route, good.status, good.request_id) == ("/predict", 200, "the-same")
    assert (good.warnings, good.refusal, good.quiet, good.scores) == (1, "", False, True)
    assert good.bytes_in == 41 and good.bytes_out > 40 and good.ended > good.started
    assert bad.status == 422 and bad.refusal
    assert (unknown.route, unknown.status, unknown.quiet, unknown.scores) == ("other", 404, False, False)
    assert (health.route, health.status, health.quiet, health.scores) == ("/health", 200, True, False)
    (predicted,) = telemetry.predictions
    assert predicted.record == {"text_length": 99999.0, "num_keywords": 3} and 0 <= predicted.probability <= 1


def test_keys_and_limits():
    telemetry = RecordingTelemetry()
    app = service(make_state(telemetry=telemetry, api_keys=OneKey(Caller("web", per_second=1.0, burst=2))))
    assert post(app, "/predict", BODY, JSON).status_code == 401
    assert post(app, "/predict", BODY, {**JSON, "x-api-key": "wrong"}).status_code == 401
    right = {**JSON, "x-api-key": "right"}
    answers = [post(app, path, BODY, right) for path in ("/predict", "/predict/batch", "/predict")]
    assert [answer.status_code for answer in answers] == [200, 422, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1 and "web" in answers[-1].json()["error"]
    assert telemetry.requests[-1].caller == ""
    assert telemetry.requests[2].caller == "web"


def test_the_reference_handlers_need_a_key_too():
    app = service(make_state(api_keys=OneKey(Caller("web", 1.0, 1))), use_fast_path=False)
    assert post(app, "/predict", BODY, JSON).status_code == 401


def test_only_predictions_need_a_key():
    app = service(make_state(api_keys=OneKey(Caller("web", 1.0, 1))))
    for path in ("/health", "/ready", "/version", "/metrics"):
        assert request(app, "GET", path).status_code == 200
