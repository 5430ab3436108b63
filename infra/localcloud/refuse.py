"""Refuses what moto cannot do, with an error that AWS clients show at once and never retry.

moto answers an unimplemented call with HTTP 500: boto3 retries that for seconds, Terraform for minutes, and the
waiters of Airflow's Amazon provider for ever.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from xml.sax.saxutils import escape

from infra.localcloud.request import ENVIRON_KEY, AwsRequest, identify

NOT_IMPLEMENTED = "NotImplementedException"
# S3's own code, which S3 clients (Terraform among them) handle.
NOT_IMPLEMENTED_S3 = "NotImplemented"
FAILED = "LocalCloudException"
STATUS = "400 Bad Request"

# moto answers these actions with success and does nothing. Here they are refused.
PRETENDED = {
    "glue": r"Start(Crawler|CrawlerSchedule|Trigger|WorkflowRun|BlueprintRun)"
    r"|CreateSession|CreateDevEndpoint|RunStatement",
    "sagemaker": r"Create(HyperParameterTuningJob|TransformJob|AutoMLJob|AutoMLJobV2|CompilationJob|LabelingJob"
    r"|InferenceRecommendationsJob|Endpoint|NotebookInstance|Cluster|ClusterSchedulerConfig|Domain|App)"
    r"|StartPipelineExecution|StartNotebookInstance",
    "elasticmapreduce": r"RunJobFlow|AddJobFlowSteps",
    "emr-serverless": r"StartJobRun|StartApplication",
    "batch": r"SubmitJob",
    "lambda": r"Invoke.*",
    "states": r"Start(Sync)?Execution",
    "redshift-data": r"(Batch)?ExecuteStatement",
    "rds-data": r"(Batch)?ExecuteStatement",
    "codebuild": r"StartBuild.*",
    "ssm": r"SendCommand|StartAutomationExecution",
    "ec2": r"RunInstances|RequestSpot.*",
}


def error_body(request: AwsRequest, code: str, message: str) -> tuple[str, bytes]:
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


class RefuseUnsupported:
    """WSGI middleware around moto's application that turns its failures and gaps into errors that nobody retries."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request, or refuses it."""
        request: AwsRequest = environ.get(ENVIRON_KEY) or identify(environ)
        if re.fullmatch(PRETENDED.get(request.service, "$^"), request.action):
            return _refuse(
                request, NOT_IMPLEMENTED, "moto would answer with success without executing it", start_response
            )
        answer: list[Any] = []

        def hold(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
            answer[:] = [status, headers]

        try:
            parts = self._application(environ, hold)
        except NotImplementedError as error:
            return _refuse(request, NOT_IMPLEMENTED, str(error), start_response)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return _refuse(request, FAILED, f"{type(error).__name__}: {error}", start_response)
        status, headers = answer
        if reason := _unimplemented(request, status, headers, parts):
            return _refuse(request, NOT_IMPLEMENTED, reason, start_response)
        start_response(status, headers)
        return parts


def _unimplemented(
    request: AwsRequest, status: str, headers: list[tuple[str, str]], parts: Iterable[bytes]
) -> str | None:
    """Moto's answer if it shows that moto lacks the action, else None. Such an answer is consumed."""
    code = int(status.split(None, 1)[0])
    html = any(name.lower() == "content-type" and value.startswith("text/html") for name, value in headers)
    if code < 500 and not (code in (404, 405) and html and request.service != "s3"):
        return None
    text = "" if html else b"".join(parts).decode("utf-8", "replace")[:500]
    if close := getattr(parts, "close", None):
        close()
    return f"moto answers HTTP {code} {text}".strip()


def _refuse(request: AwsRequest, code: str, reason: str, start_response: StartResponse) -> Iterable[bytes]:
    if request.service == "s3" and code == NOT_IMPLEMENTED:
        code = NOT_IMPLEMENTED_S3
    message = f"The local cloud cannot do {request.service}:{request.action} and did nothing. Reason: {reason}"
    content_type, body = error_body(request, code, message)
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), ("x-amzn-errortype", code)]
    start_response(STATUS, headers)
    return [body]
