"""Refuses what the local cloud cannot do, with an error that AWS clients show at once and never retry.

moto answers an unimplemented call with HTTP 500: boto3 retries that for seconds, Terraform for minutes, and the
waiters of Airflow's Amazon provider for ever. What is refused before moto sees it is in ``operations/``.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

from infra.localcloud.operations.admission import NOT_IMPLEMENTED, Refusal, check, refused
from infra.localcloud.request import ENVIRON_KEY, AwsRequest
from infra.localcloud.wsgi import HeldResponse

# S3's own code, which S3 clients (Terraform among them) handle.
NOT_IMPLEMENTED_S3 = "NotImplemented"
MALFORMED_S3 = "MalformedXML"
FAILED = "LocalCloudException"
STATUS = "400 Bad Request"
_HTML = b"<!doctype html"


def _error_body(request: AwsRequest, code: str, message: str) -> tuple[str, bytes]:
    """Writes an error in the request's protocol.

    Returns:
        The content type and the body.
    """
    if request.protocol == "json":
        return "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message}).encode()
    if request.protocol == "rest-json":
        return "application/json", json.dumps({"message": message, "code": code}).encode()
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if request.service == "s3":
        text = f"<Error>{error}<RequestId>local</RequestId></Error>"
    elif request.protocol == "ec2":
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>local</RequestID></Response>"
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>local</RequestId></ErrorResponse>"
    return "text/xml", f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def answer_error(
    request: AwsRequest, status: str, code: str, message: str, start_response: StartResponse
) -> Iterable[bytes]:
    """Answers a request with an error in its protocol."""
    content_type, body = _error_body(request, code, message)
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), ("x-amzn-errortype", code)]
    start_response(status, headers)
    return [body]


class RefuseUnsupported:
    """WSGI middleware around moto's application: refuses by the table of operations, and turns failures into errors."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request, or refuses it."""
        request: AwsRequest = environ[ENVIRON_KEY]
        if refusal := check(environ, request):
            return _refuse(request, refusal, start_response)
        held = HeldResponse()
        try:
            parts = self._application(environ, held)
        except NotImplementedError as error:
            return _refuse(request, refused(request.service, request.action, str(error)), start_response)
        except Exception as error:
            return _refuse(request, _failure(request, error), start_response)
        status, headers = held.start
        body = _examined(request, status, headers, parts)
        if isinstance(body, Refusal):
            return _refuse(request, body, start_response)
        start_response(status, headers)
        return body


def _failure(request: AwsRequest, error: Exception) -> Refusal:
    """What the client is told of an exception in moto."""
    if request.service == "s3" and isinstance(error, ExpatError):
        text = "The XML you provided was not well-formed or did not validate against our published schema"
        return Refusal(MALFORMED_S3, text)
    traceback.print_exc(file=sys.stderr)
    text = f"The local cloud failed in {request.service}:{request.action}: {type(error).__name__}: {error}"
    return Refusal(FAILED, text)


def _examined(
    request: AwsRequest, status: str, headers: list[tuple[str, str]], parts: Iterable[bytes]
) -> Iterable[bytes] | Refusal:
    """Moto's answer, or a refusal if it shows that moto lacks the action.

    moto answers HTTP 500 then, or with a page of its web framework; a service's own 404 is passed on.
    """
    code = int(status.split(None, 1)[0])
    html = any(name.lower() == "content-type" and value.startswith("text/html") for name, value in headers)
    if code < 500 and not (code in (404, 405) and html and request.service != "s3"):
        return parts
    body = b"".join(parts)
    if close := getattr(parts, "close", None):
        close()
    if code < 500 and not body.startswith(_HTML):
        return [body]
    text = "" if html else body.decode("utf-8", "replace")[:500]
    return refused(request.service, request.action, f"moto answers HTTP {code} {text}".strip())


def _refuse(request: AwsRequest, refusal: Refusal, start_response: StartResponse) -> Iterable[bytes]:
    code = refusal.code
    if request.service == "s3" and code == NOT_IMPLEMENTED:
        code = NOT_IMPLEMENTED_S3
    return answer_error(request, STATUS, code, refusal.message, start_response)
