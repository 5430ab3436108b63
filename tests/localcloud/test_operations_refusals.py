"""Refusals before moto sees a request, and what becomes of moto's failures, in this process."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from infra.localcloud.refuse import RefuseUnsupported
from infra.localcloud.request import ENVIRON_KEY, identify
from infra.localcloud.s3.routing import operation

JSON, FORM = "application/x-amz-json-1.1", "application/x-www-form-urlencoded"


def environ(service: str, target: str = "", body: bytes = b"{}", **more: str) -> dict[str, Any]:
    """The environment of a request that is signed for a service."""
    signature = f"AWS4-HMAC-SHA256 Credential=AKIATEST/20130301/us-east-1/{service}/aws4_request, SignedHeaders=host"
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "4566",
        "wsgi.url_scheme": "http",
        "HTTP_AUTHORIZATION": signature,
        "HTTP_X_AMZ_TARGET": target,
        "CONTENT_TYPE": JSON,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **more,
    }


def answer(application: Any, request: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body of the answer."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        started[:] = [status, headers]

    request[ENVIRON_KEY] = identify(request, operation)
    parts = RefuseUnsupported(application)(request, start_response)
    return started[0], dict(started[1]), b"".join(parts)


def unreachable(request: dict[str, Any], start_response: Any) -> list[bytes]:
    raise AssertionError("the application is not called")


def moto(status: str, kind: str, body: bytes) -> Any:
    """An application that answers this."""

    def application(request: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", kind)])
        return [body]

    return application


def echo(request: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [request["wsgi.input"].read()]


def failing(request: dict[str, Any], start_response: Any) -> list[bytes]:
    raise KeyError("Name")


def members(**values: Any) -> bytes:
    return json.dumps(values).encode()


@pytest.mark.parametrize(
    ("request_environ", "code", "message"),
    [
        (environ("airflow"), "UnknownServiceException", "The local cloud has no service airflow."),
        (
            environ("dynamodb", "DynamoDB_20120810.Fetch"),
            "UnknownOperationException",
            "The service dynamodb has no operation DynamoDB_20120810.Fetch.",
        ),
        (
            environ("glue", "AWSGlue.StartCrawler", members(Name="c")),
            "NotImplementedException",
            "The local cloud cannot do glue:StartCrawler and did nothing. Reason: no crawler is run",
        ),
        (
            environ("glue", "AWSGlue.StartBlueprintRun"),
            "NotImplementedException",
            "neither moto nor the local cloud implements it",
        ),
        (
            environ("monitoring", "GraniteServiceVersion20100801.ListMetrics", members(RecentlyActive="PT3H")),
            "NotImplementedException",
            "its member RecentlyActive is not supported: the time of a metric's last datum is not compared",
        ),
        (
            environ("dynamodb", "DynamoDB_20120810.DescribeTable"),
            "ValidationException",
            "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be",
        ),
        (
            environ("dynamodb", "DynamoDB_20120810.DescribeTable", members(TableName=5)),
            "SerializationException",
            "The value of TableName cannot be converted to string",
        ),
        (environ("dynamodb", "DynamoDB_20120810.DescribeTable", b"["), "SerializationException", "not a JSON object"),
        (
            environ("events", "AWSEvents.PutRule", members(Name="a b", State="ON")),
            "ValidationException",
            (
                r"2 validation errors detected: Value 'a b' at 'name' failed to satisfy constraint: Member must "
                r"satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+; Value 'ON' at 'state' failed to satisfy "
                "constraint: Member must satisfy enum value set: [ENABLED, DISABLED, "
            ),
        ),
        (
            environ("logs", "Logs_20140328.PutLogEvents", members(logGroupName="g", logStreamName="s")),
            "InvalidParameterException",
            "Value null at 'logEvents' failed to satisfy constraint: Member must not be null",
        ),
        (environ("sqs", "AmazonSQS.SendMessage"), "MissingParameter", "must contain the parameter QueueUrl."),
        (
            environ("kms", "TrentService.GetKeyPolicy", members(KeyId="")),
            "ValidationException",
            "Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
    ],
)
def test_a_request_is_refused_before_moto_sees_it(request_environ: dict[str, Any], code: str, message: str) -> None:
    status, headers, body = answer(unreachable, request_environ)
    assert (status, headers["x-amzn-errortype"]) == ("400 Bad Request", code)
    assert message in body.decode()


@pytest.mark.parametrize(
    ("service", "form", "code"),
    [
        ("iam", b"Action=CreateRole&Version=2010-05-08", "ValidationError"),
        ("iam", b"Action=MakeRole&Version=2010-05-08", "InvalidAction"),
        ("ec2", b"Action=CreateSubnet&Version=2016-11-15", "MissingParameter"),
        ("ec2", b"Action=RunInstances&Version=2016-11-15", "NotImplementedException"),
        ("sts", b"Action=GetSessionToken&Version=2011-06-15", "NotImplementedException"),
        ("sts", b"Action=GetFederationToken&Version=2011-06-15&Name=ann", "NotImplementedException"),
        ("elasticloadbalancing", b"Action=DescribeLoadBalancers&Version=2012-06-01", "NotImplementedException"),
    ],
)
def test_a_form_is_refused_in_the_form_of_its_protocol(service: str, form: bytes, code: str) -> None:
    status, _, body = answer(unreachable, environ(service, "", form, CONTENT_TYPE=FORM))
    assert status == "400 Bad Request"
    assert f"<Code>{code}</Code>" in body.decode()


def test_a_query_may_be_in_the_query_string() -> None:
    more = {"REQUEST_METHOD": "GET", "CONTENT_TYPE": "", "QUERY_STRING": "Action=MakeRole&Version=2010-05-08"}
    assert answer(unreachable, environ("iam", "", b"", **more))[1]["x-amzn-errortype"] == "InvalidAction"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/2015-03-31/functions", "ValidationException"),
        ("/2014-11-13/functions/f/invoke-async/", "NotImplementedException"),
        ("/2015-03-31/nothing", "UnknownOperationException"),
    ],
)
def test_a_rest_request_is_refused_by_its_path(path: str, code: str) -> None:
    request = environ("lambda", PATH_INFO=path, CONTENT_TYPE="application/json")
    assert answer(unreachable, request)[1]["x-amzn-errortype"] == code


def test_a_schedule_may_be_kept() -> None:
    """Its targets decide whether it is refused: tests/localcloud/test_events_delivery.py."""
    body = members(Name="r", ScheduleExpression="rate(1 hour)")
    status, _, passed_on = answer(echo, environ("events", "AWSEvents.PutRule", body))
    assert (status, passed_on) == ("200 OK", body)


def test_s3_reads_its_own_requests() -> None:
    """It refuses by the same table, but a body may be too long to hold here."""
    request = environ("s3", "", b"<Tagging>", PATH_INFO="/bucket", REQUEST_METHOD="PUT", QUERY_STRING="tagging")
    assert answer(echo, request)[2] == b"<Tagging>"


@pytest.mark.parametrize(
    ("application", "code", "message"),
    [
        (
            moto("501 Not Implemented", "text/plain", b"not yet"),
            "NotImplementedException",
            "moto answers HTTP 501 not yet",
        ),
        (moto("404 Not Found", "text/html", b"<!doctype html>"), "NotImplementedException", "moto answers HTTP 404"),
        (failing, "LocalCloudException", "The local cloud failed in glue:GetCrawler: KeyError: 'Name'"),
    ],
)
def test_failures_of_moto_are_errors_that_are_not_retried(application: Any, code: str, message: str) -> None:
    status, headers, body = answer(application, environ("glue", "AWSGlue.GetCrawler", members(Name="c")))
    assert (status, headers["x-amzn-errortype"]) == ("400 Bad Request", code)
    assert message in body.decode()


def test_a_services_own_404_is_passed_on() -> None:
    own = b'{"__type": "EntityNotFoundException"}'
    request = environ("glue", "AWSGlue.GetCrawler", members(Name="c"))
    status, _, body = answer(moto("404 Not Found", "text/html; charset=utf-8", own), request)
    assert (status, body) == ("404 Not Found", own)


def test_an_object_may_look_like_a_form() -> None:
    more = {"PATH_INFO": "/bucket/key", "REQUEST_METHOD": "PUT", "CONTENT_TYPE": FORM}
    assert answer(echo, environ("s3", "", b"Action=DeleteBucket", **more))[2] == b"Action=DeleteBucket"


def test_values_in_lists_and_maps_are_checked_with_their_path() -> None:
    records = [{"Data": "eA==", "PartitionKey": "k"}, {"Data": "eA==", "PartitionKey": ""}]
    body = members(StreamName="s", Records=records)
    message = answer(unreachable, environ("kinesis", "Kinesis_20131202.PutRecords", body))[2].decode()
    assert "Value '' at 'records.2.member.partitionKey' failed to satisfy constraint: Member must have" in message


@pytest.mark.parametrize(("description", "valid"), [("é and 😀", True), ("bell \a", False)])
def test_a_pattern_of_java_is_read_as_java_reads_it(description: str, valid: bool) -> None:
    body = members(DatabaseInput={"Name": "d", "Description": description})
    application = echo if valid else unreachable
    status, _, _ = answer(application, environ("glue", "AWSGlue.CreateDatabase", body))
    assert (status == "200 OK") is valid
