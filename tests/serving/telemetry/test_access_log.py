from __future__ import annotations

import json

from serving.telemetry import access_log
from tests.support.telemetry import finished


def test_a_line_has_every_field_that_is_not_empty():
    header = b"Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678;Sampled=0"
    request = finished(status=422, caller="mobile", trace_header=header, refusal="invalid", warnings=2, cache="miss")
    line = access_log.line(request, 1_700_000_000.0)
    assert line.endswith(b"}\n")
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.000Z",
        "level": "INFO",
        "logger": "serving.access",
        "message": "request",
        "request_id": "r-1",
        "method": "POST",
        "path": "/predict",
        "status": 422,
        "milliseconds": 4.2,
        "bytes_in": 60,
        "bytes_out": 70,
        "caller": "mobile",
        "trace_id": "1-67891233-abcdef012345678912345678",
        "refusal": "invalid",
        "warnings": 2,
        "cache": "miss",
    }


def test_empty_fields_are_left_out_and_a_500_is_an_error():
    line = json.loads(access_log.line(finished(status=500), 1_700_000_000.0))
    assert line["level"] == "ERROR"
    assert not {"caller", "trace_id", "refusal", "warnings", "cache"} & line.keys()


def test_a_line_fits_into_one_write_whatever_the_caller_sends():
    request = finished(path="/\u00e9\n" * 5000, trace_header=b"Root=" + b"\xff" * 9000)
    line = access_log.line(request, 1_700_000_000.0)
    assert len(line) < 2000
    assert line.count(b"\n") == 1
    assert access_log.trace_id(b"Sampled=1") == ""
