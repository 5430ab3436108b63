"""Optional fields that belong together: every route refuses what breaks a rule, and the API description says it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.model.request import RequestSchema
from include.workloads import FieldSpec
from include.workloads.request_rules import RequestRule
from serving.app import ServiceApp
from serving.decode import FastDecoder
from serving.middleware import ServiceMiddleware
from serving.openapi import record_schema
from serving.state import State
from tests.support.asgi import post
from tests.support.bundles import text_files
from tests.support.serving_state import FakeModel, make_state

FIELDS = {name: FieldSpec(type="number", nullable=True) for name in ("text_length", "num_keywords", "lat", "lon")}
RULES = (
    RequestRule(need="at_least_one", fields=("text_length", "num_keywords")),
    RequestRule(need="all_or_none", fields=("lat", "lon")),
)
JSON = {"content-type": "application/json"}
CASES: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"text_length": 1}, []),
    ({"num_keywords": 1, "lat": 1, "lon": 2}, []),
    ({"text_length": 0, "num_keywords": None, "lat": None, "lon": None}, []),
    ({}, [("", "at least one of text_length, num_keywords must be given")]),
    ({"text_length": None}, [("", "at least one of text_length, num_keywords must be given")]),
    ({"text_length": 1, "lon": 2}, [("lat", "is missing: it belongs to lon")]),
    (
        {"lat": 1},
        [
            ("", "at least one of text_length, num_keywords must be given"),
            ("lon", "is missing: it belongs to lat"),
        ],
    ),
    ({"lat": "north"}, [("lat", "is not a number")]),
]


@pytest.fixture(scope="module")
def state() -> State:
    files = text_files(request=FIELDS, request_rules=RULES)
    return make_state(FakeModel(lambda row: 0.75), files=files)


@pytest.mark.parametrize(("record", "problems"), CASES)
@pytest.mark.parametrize("fast", [True, False])
def test_the_service_refuses_what_breaks_a_rule(
    state: State, record: dict[str, Any], problems: list[tuple[str, str]], fast: bool
) -> None:
    service = ServiceMiddleware(state, ServiceApp(state), use_fast_path=fast)
    for path, body in (("/predict", record), ("/predict/batch", {"records": [{"text_length": 1}, record]})):
        answer = post(service, path, json.dumps(body).encode(), JSON)
        assert answer.status_code == (422 if problems else 200), answer.text
        found = [(entry["field"], entry["message"]) for entry in answer.json().get("fields", ())]
        assert found == problems


def test_the_api_description_has_the_rules(state: State) -> None:
    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(ServiceMiddleware(state, ServiceApp(state)))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/openapi.json")

    described = asyncio.run(get()).json()["components"]["schemas"]["Record"]
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


def test_without_rules_an_empty_record_is_accepted_and_nothing_is_described() -> None:
    assert not RequestSchema(FIELDS).check({}).errors
    assert not {"allOf", "description"} & record_schema(FIELDS).keys()
