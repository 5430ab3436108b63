"""A request may give the features in place of the record: every route answers as it would answer the record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.model import bundle, golden
from include.model.request import RequestSchema
from serving.app import ServiceApp
from serving.cache import record_key
from serving.decode import make_decoder
from serving.middleware import ServiceMiddleware
from serving.state import State
from tests.support.asgi import post
from tests.support.given_features import GIVEN, REQUEST, SCHEMA, files
from tests.support.serving_state import RecordingTelemetry, make_state

JSON = {"content-type": "application/json"}
TEXT = {"text": "a bad day"}
FEATURES = {"text_length": 9, "num_keywords": 1}
BOTH = "must give either the fields text, channel or text_length, num_keywords, not both"
CASES: list[tuple[Any, list[tuple[str, str]]]] = [
    (TEXT, []),
    (FEATURES, []),
    ({**TEXT, **FEATURES}, [("", BOTH)]),
    ({"text_length": 9, "channel": None}, [("", BOTH)]),
    ({}, [("text", "is missing")]),
    ({"text_length": 9}, [("num_keywords", "is missing")]),
    (
        {"text_length": "long", "num_keywords": None},
        [("text_length", "is not an integer"), ("num_keywords", "must not be null")],
    ),
    ({**FEATURES, "colour": 1}, [("colour", "is not a field of this model")]),
    ([], [("", "must be an object with the fields text, channel or text_length, num_keywords")]),
]


@pytest.fixture(scope="module")
def state() -> State:
    return make_state(files=files())


def service(state: State, *, fast: bool) -> ServiceMiddleware:
    return ServiceMiddleware(state, ServiceApp(state), use_fast_path=fast)


@pytest.mark.parametrize("fast", [True, False])
def test_the_features_get_the_answer_of_their_record(state: State, fast: bool) -> None:
    answers = [
        post(service(state, fast=fast), "/predict", json.dumps(body).encode(), JSON) for body in (TEXT, FEATURES)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json() and answers[0].json()["prediction"] in (0, 1)
    batch = {"records": [TEXT, FEATURES, TEXT]}
    answer = post(service(state, fast=fast), "/predict/batch", json.dumps(batch).encode(), JSON).json()
    assert len({entry["probability"] for entry in answer["predictions"]}) == 1


@pytest.mark.parametrize(("record", "problems"), CASES)
@pytest.mark.parametrize("fast", [True, False])
def test_every_route_refuses_the_same(state: State, record: Any, problems: list[tuple[str, str]], fast: bool) -> None:
    for path, body in (("/predict", record), ("/predict/batch", {"records": [record]})):
        answer = post(service(state, fast=fast), path, json.dumps(body).encode(), JSON)
        assert answer.status_code == (422 if problems else 200), answer.text
        assert [(entry["field"], entry["message"]) for entry in answer.json().get("fields", ())] == problems


@pytest.mark.parametrize("fast", [True, False])
def test_a_feature_outside_its_range_is_answered_with_a_warning(state: State, fast: bool) -> None:
    body = json.dumps({**FEATURES, "num_keywords": 21}).encode()
    answer = post(service(state, fast=fast), "/predict", body, JSON).json()
    assert answer["warnings"] == [{"field": "num_keywords", "message": "is above the maximum 20"}]


def test_the_fast_decoder_takes_both_and_leaves_the_rest_to_the_reference_check() -> None:
    decoder = make_decoder(SCHEMA)
    assert decoder.one(json.dumps(TEXT).encode()) == {"text": "a bad day", "channel": None}
    assert decoder.one(json.dumps(FEATURES).encode()) == FEATURES
    assert decoder.many(json.dumps({"records": [FEATURES] * 3}).encode(), 5) == [FEATURES] * 3
    for body in ({**TEXT, **FEATURES}, {}, {"text_length": 9}):
        assert decoder.one(json.dumps(body).encode()) is None
    assert decoder.many(json.dumps({"records": [TEXT, FEATURES]}).encode(), 5) is None


def test_without_the_declaration_features_are_refused() -> None:
    problems = RequestSchema(REQUEST).check(FEATURES).errors
    assert [problem.field for problem in problems] == ["text_length", "num_keywords", "text"]


def test_the_prediction_log_has_what_the_request_gave() -> None:
    telemetry = RecordingTelemetry()
    state = make_state(files=files(), telemetry=telemetry, prediction_log="kinesis://predictions")
    post(service(state, fast=True), "/predict", json.dumps(FEATURES).encode(), JSON)
    assert [prediction.record for prediction in telemetry.predictions] == [FEATURES]


def test_a_record_and_features_with_equal_values_have_different_cache_keys() -> None:
    assert record_key({"text": "a"}) != record_key({"topic": "a"})


def test_golden_rows_of_both_kinds_score_as_in_training() -> None:
    loaded = bundle.load(files())
    given = [row for row in loaded.golden if row.request.keys() == GIVEN.keys()]
    texts = {
        json.dumps(dict(loaded.scorer.features(row.request)), sort_keys=True): row
        for row in loaded.golden
        if "text" in row.request
    }
    assert len(given) == golden.FEATURE_ROWS
    assert all(texts[json.dumps(row.request, sort_keys=True)].probability == row.probability for row in given)
    assert golden.rescore(loaded.golden, loaded.schema, loaded.scorer).ok


def test_a_service_that_does_not_accept_the_features_does_not_verify_such_a_bundle() -> None:
    loaded = bundle.load(files(request_features={}))
    assert "is not a valid request" in (golden.rescore(loaded.golden, loaded.schema, loaded.scorer).reason or "")
