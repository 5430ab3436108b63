"""The API description of what a request may be, by a validator of JSON schemas."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.model.request import RequestSchema
from serving.app import ServiceApp
from serving.decode import FastDecoder, make_decoder
from serving.middleware import ServiceMiddleware
from serving.openapi import record_schema
from tests.support.asgi import request
from tests.support.given_features import SCHEMA, files
from tests.support.request_rules import CASES, FIELDS, RULES, state_with_rules
from tests.support.serving_state import make_state

pytestmark = pytest.mark.stack  # the service's environment has no jsonschema


def test_the_api_description_has_the_rules() -> None:
    state = state_with_rules()
    answer = request(ServiceMiddleware(state, ServiceApp(state)), "GET", "/openapi.json")
    described = answer.json()["components"]["schemas"]["Record"]
    assert described["description"] == (
        "At least one of text_length and num_keywords must be given. lat and lon must be given together, or not at all."
    )
    for record, problems in CASES:
        valid = jsonschema.Draft202012Validator(described).is_valid(record)
        assert valid == (not problems), record


records = st.dictionaries(st.sampled_from(sorted(FIELDS)), st.none() | st.integers(0, 9))


@given(records)
def test_decoder_reference_and_description_agree(record: dict[str, Any]) -> None:
    accepted = not RequestSchema(FIELDS, RULES).check(record).errors
    assert (FastDecoder(FIELDS, RULES).one(json.dumps(record).encode()) is not None) == accepted
    assert jsonschema.Draft202012Validator(record_schema(FIELDS, RULES)).is_valid(record) == accepted


either = st.dictionaries(
    st.sampled_from(["text", "channel", "text_length", "num_keywords"]), st.none() | st.integers(0, 9) | st.just("text")
)


@given(either)
def test_record_or_features_is_described_as_it_is_accepted(record: dict[str, Any]) -> None:
    accepted = not SCHEMA.check(record).errors
    assert (make_decoder(SCHEMA).one(json.dumps(record).encode()) is not None) == accepted
    assert jsonschema.Draft202012Validator(_either()).is_valid(record) == accepted


@cache
def _either() -> dict[str, Any]:
    """The schema of the body of /predict, with what it refers to."""
    state = make_state(files=files())
    document = request(ServiceMiddleware(state, ServiceApp(state)), "GET", "/openapi.json").json()
    batch = document["paths"]["/predict/batch"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body: dict[str, Any] = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert batch["properties"]["records"]["items"] == body
    return {**body, "components": document["components"]}
