"""The body of a Firehose call is made by the service: it must say what botocore's would, and be what is signed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from serving.telemetry.streams import FirehoseStream, StreamRecord

LINES = [b'{"a":"\xc3\xa9"}\n', b"{}\n" * 3, b"\x00\xff\n"]
OK = {"FailedPutCount": 1, "RequestResponses": [{"RecordId": "1"}, {"ErrorCode": "Slow", "ErrorMessage": "Down"}, {}]}


class Answer(BytesIO):
    """The body of an answer, as urllib3 gives it."""

    def stream(self) -> list[bytes]:
        return [self.read()]


@dataclass
class Sent:
    """A request as it was sent. The names of the headers are in lower case."""

    url: str
    headers: dict[str, str]
    body: bytes


class Endpoint:
    """Answers calls in place of the network, and keeps them."""

    def __init__(self, stream: FirehoseStream, status: int, answer: dict[str, Any]) -> None:
        self.status, self.answer = status, answer
        self.requests: list[Sent] = []
        stream.client.meta.events.register("before-send.firehose.PutRecordBatch", self._send)

    def _send(self, request: Any, **_: object) -> AWSResponse:
        texts = {k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in request.headers.items()}
        self.requests.append(Sent(request.url, texts, request.body))
        raw: Any = Answer(json.dumps(self.answer).encode())
        return AWSResponse(request.url, self.status, HTTPHeaders(), raw)


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> FirehoseStream:
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    return FirehoseStream("predictions-1")


def batch() -> list[StreamRecord]:
    return [StreamRecord("k", bytearray(lines), lines.count(b"\n")) for lines in LINES]


def test_a_call_has_every_record_and_its_answer_is_read(stream: FirehoseStream):
    endpoint = Endpoint(stream, 200, OK)
    assert stream.put(batch()) == ["", "Slow: Down", ""]
    assert stream.put(batch()[:1]) == ["", "Slow: Down", ""]
    body, second = (json.loads(request.body) for request in endpoint.requests)
    assert body["DeliveryStreamName"] == "predictions-1"
    assert [base64.b64decode(record["Data"]) for record in body["Records"]] == LINES
    assert [base64.b64decode(record["Data"]) for record in second["Records"]] == LINES[:1]
    sent = endpoint.requests[0]
    assert sent.headers["x-amz-target"] == "Firehose_20150804.PutRecordBatch"
    assert int(sent.headers["content-length"]) == len(sent.body)


def test_what_is_signed_is_what_is_sent(stream: FirehoseStream):
    endpoint = Endpoint(stream, 200, OK)
    stream.put(batch())
    (sent,) = endpoint.requests
    authorization = sent.headers["authorization"]
    names = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    again = AWSRequest("POST", sent.url, {name: sent.headers[name] for name in names if name != "host"}, sent.body)
    again.context["timestamp"] = sent.headers["x-amz-date"]
    auth = SigV4Auth(Credentials("a", "s"), "firehose", "eu-central-1")
    signature = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    assert authorization.endswith(f"Signature={signature}")


def test_an_error_is_raised_as_botocore_names_it(stream: FirehoseStream):
    Endpoint(stream, 400, {"__type": "ResourceNotFoundException", "message": "no such stream"})
    with pytest.raises(ClientError, match=r"\(ResourceNotFoundException\).*PutRecordBatch.*no such stream"):
        stream.put(batch())


def test_a_call_names_the_library_and_the_service_as_one_given_text(stream: FirehoseStream):
    endpoint = Endpoint(stream, 200, OK)
    stream.put(batch())
    assert endpoint.requests[0].headers["user-agent"].startswith(f"Boto3/{boto3.__version__} nightjar ")
