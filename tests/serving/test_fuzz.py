"""Generated requests: from the service's own API description, and as bytes that break all rules."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.request_cases import GOOD
from tests.support.service import Service

pytestmark = pytest.mark.stack

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "unsupported_method",
    "allow_header_conformance",
)
EXAMPLES = 50  # generated per operation and phase, besides the systematic ones of the coverage phase
REJECTIONS = {400, 413, 415, 422}

# Values and names on which parsers are known to disagree.
NUMBERS = st.from_regex(r"-?[0-9]{1,400}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,7})?", fullmatch=True)
WORDS = st.sampled_from(
    [
        "NaN",
        "-Infinity",
        "true",
        "null",
        '""',
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\u0000"',
        "[]",
        "{}",
        "01",
        "+1",
        ".5",
    ]
)
NAMES = st.sampled_from(
    ["text_length", "num_keywords", "records", "", "\\u0074ext_length", "\\ud83d", "text_length\\u0000"]
)


def _objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON objects as text; a name may occur twice."""
    pairs = st.lists(st.tuples(NAMES, values), max_size=4)
    return pairs.map(lambda given: "{" + ", ".join(f'"{name}": {value}' for name, value in given) + "}")


JSON_LIKE = st.recursive(
    NUMBERS | WORDS | st.text(max_size=20).map(json.dumps),
    lambda inner: _objects(inner) | st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
    max_leaves=12,
)
RECORDS = st.tuples(NUMBERS | WORDS, NUMBERS | WORDS).map(
    lambda two: f'{{"text_length": {two[0]}, "num_keywords": {two[1]}}}'
)
DEEP = st.tuples(st.sampled_from(["[", '{"a":', '{"text_length":[', '{"records":[']), st.integers(1, 2500)).map(
    lambda nested: nested[0] * nested[1]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good body, a part of which is removed or replaced by arbitrary bytes."""
    body = draw(st.sampled_from([GOOD, f'{{"records": [{GOOD}, {GOOD}]}}'])).encode()
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 8)))
    return body[:start] + draw(st.binary(max_size=6)) + body[end:]


def _batches(record: str) -> str:
    return f'{{"records": [{GOOD}, {record}]}}'


BODIES = st.one_of(
    st.binary(max_size=400),
    damaged(),
    (RECORDS | RECORDS.map(_batches) | JSON_LIKE | JSON_LIKE.map(_batches) | _objects(NUMBERS | WORDS)).map(str.encode),
    DEEP.map(str.encode),
)
HOSTILE = (
    b"",
    b"\x00",
    b"\xef\xbb\xbf" + GOOD.encode(),
    b'{"text_length": 1, "num_keywords": 3, "\xed\xa0\x80": 1}',
    GOOD.encode("utf-16"),
    b"[" * 19_000,
    b'{"a":' * 3_900,
    b"9" * 19_000,
    GOOD.replace("120", "9" * 5_000).encode(),
    b'{"text_length": 120, "text_length": 120, "num_keywords": 3}',
    b'{"text_length": 1e' + b"9" * 400 + b', "num_keywords": 3}',
)


@pytest.fixture(scope="module")
def unharmed(service: Service) -> Iterator[Service]:
    """The service. After the module's tests it must be alive and unchanged, without a traceback in its log."""
    before = service.client.get("/version").json()
    yield service
    assert service.process.poll() is None
    assert service.client.get("/version").json() == before
    assert service.client.get("/golden").json()["ok"]
    assert "Traceback" not in service.text() and '"level": "ERROR"' not in service.text()


def test_generated_requests_are_answered_as_the_description_says(unharmed: Service, tmp_path: Path):
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"http://127.0.0.1:{unharmed.port}/openapi.json",
        "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--mode", "all",
        "--max-examples", str(EXAMPLES), "--seed", "1", "--generation-deterministic",
        "--continue-on-failure", "--request-timeout", "20", "--workers", "1", "--no-color", "--warnings", "off",
    ]  # fmt: skip
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert run.returncode == 0, f"\n{run.stdout[-8000:]}{run.stderr[-2000:]}"


def _hostile(test: Callable[..., None]) -> Callable[..., None]:
    for body in HOSTILE:
        test = example(body=body)(test)
    return settings(max_examples=250)(given(body=BODIES)(test))


@_hostile
def test_any_bytes_are_answered_with_a_prediction_or_a_documented_error(unharmed: Service, body: bytes):
    answer = _post(unharmed, "/predict", body)
    if answer.status_code == 200:
        _check_scored(_parse(body), answer.json())


@_hostile
def test_any_bytes_as_a_batch(unharmed: Service, body: bytes):
    answer = _post(unharmed, "/predict/batch", body)
    if answer.status_code == 200:
        asked, answered = _parse(body)["records"], answer.json()["predictions"]
        assert len(asked) == len(answered)
        for record, prediction in zip(asked, answered, strict=True):
            _check_scored(record, prediction)


def _post(service: Service, path: str, body: bytes) -> httpx.Response:
    """The answer, which is a 200 or an error in its documented form."""
    answer = service.client.post(path, content=body, headers={"content-type": "application/json"})
    content = answer.json()
    assert answer.headers["content-type"] == "application/json"
    if answer.status_code != 200:
        assert answer.status_code in REJECTIONS
        assert content["error"] and content["request_id"] == answer.headers["x-request-id"]
        assert all(isinstance(problem["field"], str) and problem["message"] for problem in content.get("fields", []))
    return answer


def _parse(body: bytes) -> Any:
    """Parses UTF-8 JSON in which no object has a name twice."""

    def no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), "a record with a name twice was scored"
        return dict(pairs)

    return json.loads(body.decode("utf-8"), object_pairs_hook=no_name_twice)


def _check_scored(record: Any, answer: dict[str, Any]) -> None:
    """Only a complete record of two finite numbers may be scored."""
    assert set(record) == {"text_length", "num_keywords"}
    assert all(type(value) in (int, float) and math.isfinite(value) for value in record.values())
    assert answer["prediction"] in (0, 1) and 0 <= answer["probability"] <= 1
