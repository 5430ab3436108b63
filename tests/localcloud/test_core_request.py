"""infra/localcloud/request.py and refuse.py, in this process."""

from __future__ import annotations

import io
from typing import Any

import pytest

from infra.localcloud.request import AwsRequest, identify
from infra.localcloud.s3.routing import operation

FORM = "application/x-www-form-urlencoded"


def environ(service: str, body: bytes = b"", **more: str) -> dict[str, Any]:
    signature = f"AWS4-HMAC-SHA256 Credential=AKIATEST/20130301/us-east-1/{service}/aws4_request, SignedHeaders=host"
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "HTTP_AUTHORIZATION": signature,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **more,
    }


@pytest.mark.parametrize(
    ("request_environ", "expected"),
    [
        (
            environ("dynamodb", b'{"TableName": "t"}', HTTP_X_AMZ_TARGET="DynamoDB_20120810.GetItem"),
            AwsRequest("AKIATEST", "dynamodb", "GetItem", "t", "json"),
        ),
        (
            environ("glue", b'{"JobName": "j", "Name": "n"}', HTTP_X_AMZ_TARGET="AWSGlue.StartJobRun"),
            AwsRequest("AKIATEST", "glue", "StartJobRun", "j", "json"),
        ),
        (
            environ("monitoring", b"Action=PutMetricData&Namespace=nightjar", CONTENT_TYPE=FORM),
            AwsRequest("AKIATEST", "cloudwatch", "PutMetricData", "nightjar", "query"),
        ),
        (
            environ("ec2", b"Action=DescribeVpcs", CONTENT_TYPE=FORM),
            AwsRequest("AKIATEST", "ec2", "DescribeVpcs", "", "ec2"),
        ),
        (
            environ("s3", REQUEST_METHOD="GET", PATH_INFO="/bucket/key"),
            AwsRequest("AKIATEST", "s3", "GetObject", "bucket/key", "rest-xml"),
        ),
        (
            environ(
                "s3",
                REQUEST_METHOD="GET",
                PATH_INFO="/bucket/key",
                HTTP_AUTHORIZATION="",
                QUERY_STRING="X-Amz-Credential=AKIASIGNED%2F20130301%2Fus-east-1%2Fs3%2Faws4_request",
            ),
            AwsRequest("AKIASIGNED", "s3", "GetObject", "bucket/key", "rest-xml"),
        ),
    ],
    ids=lambda value: value.action if isinstance(value, AwsRequest) else "",
)
def test_a_request_is_identified_and_its_body_stays_readable(
    request_environ: dict[str, Any], expected: AwsRequest
) -> None:
    body = request_environ["wsgi.input"].getvalue()
    assert identify(request_environ, operation) == expected
    assert request_environ["wsgi.input"].read() == body
