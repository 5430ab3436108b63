"""The second workload of ``make run``, which no line outside its folder knows: trained, deployed, answering."""

from __future__ import annotations

import time
import uuid

import pytest

from include.lake.days import cutoff
from include.lake.instants import format_instant
from tests.support.loop import WORKLOAD, Loop, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]
SECOND = "feedback"
TEXT = "It broke after two days, the refund was refused, and nobody answers. Terrible!"


def test_it_is_live_beside_the_first(loop: Loop) -> None:
    first, second = loop.service("/version").json(), loop.service("/version", workload=SECOND).json()
    assert (first["workload"], second["workload"]) == (WORKLOAD, SECOND)
    assert second["engine"] != "scikit-learn" and second["cutoff"] == format_instant(cutoff(loop.days[1]))


def test_it_answers_the_request_of_the_design_as_it_stands(loop: Loop) -> None:
    answer = loop.service("/predict", {"text_length": 120, "num_keywords": 3}, workload=SECOND)
    assert answer.status_code == 200 and answer.json()["prediction"] in (0, 1)
    assert loop.service("/golden", workload=SECOND).json()["ok"]


def test_it_answers_a_text_as_its_features(loop: Loop) -> None:
    features = {"text_length": len(TEXT), "num_keywords": 5}  # broke, refund, refused, nobody, terrible
    by_text, by_features = (
        loop.service("/predict", body, workload=SECOND).json() for body in ({"text": TEXT}, features)
    )
    assert by_text == by_features and by_text["prediction"] == 1


def test_its_requests_are_traced(loop: Loop) -> None:
    trace_id = f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    loop.service("/predict", {"text": TEXT}, SECOND, {"x-amzn-trace-id": f"Root={trace_id};Sampled=1"})
    until(lambda: loop.aws.xray.batch_get_traces(TraceIds=[trace_id])["Traces"], "the trace is in X-Ray")


def test_it_takes_the_rating_of_a_text_that_it_answered(loop: Loop) -> None:
    request_id = loop.service("/predict", {"text": TEXT}, workload=SECOND).headers["x-request-id"]
    outcome = {"request_id": request_id, "time": f"{loop.days[1]}T12:00:00Z", "outcome": {"rating": -3.2}}
    answer = loop.service("/feedback", outcome, workload=SECOND)
    assert (answer.status_code, answer.json()["event_type"], answer.json()["key"]) == (202, "rated", request_id)
