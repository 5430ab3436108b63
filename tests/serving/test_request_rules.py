"""Optional fields that belong together: every route refuses what breaks a rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.model.request import RequestSchema
from serving.app import ServiceApp
from serving.middleware import ServiceMiddleware
from serving.openapi import record_schema
from serving.state import State
from tests.support.asgi import post
from tests.support.request_rules import CASES, FIELDS, state_with_rules

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def state() -> State:
    return state_with_rules()


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


def test_without_rules_an_empty_record_is_accepted_and_nothing_is_described() -> None:
    assert not RequestSchema(FIELDS).check({}).errors
    assert not {"allOf", "description"} & record_schema(FIELDS).keys()
