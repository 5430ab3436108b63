"""What moto cannot do is refused with an error that AWS clients show at once and never retry.

moto answers an unimplemented call with HTTP 500: boto3 retries that for seconds, Terraform for minutes, and the
provider's waiters for ever.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from .request import Asked, identify

NOT_IMPLEMENTED = "NotImplementedException"
# S3's own word for it, which S3 clients (Terraform among them) know how to take.
NOT_IMPLEMENTED_S3 = "NotImplemented"
FAILED = "LocalCloudException"
STATUS = "400 Bad Request"

# moto answers these with success and does nothing. Here, work that is not done is not called done.
PRETENDED = {
    "glue": r"Start(Crawler|CrawlerSchedule|Trigger|WorkflowRun|BlueprintRun)|CreateSession|CreateDevEndpoint|RunStatement",
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
    # moto does not know these query parameters of S3 and would act on the bucket or object itself.
    "s3": r".*(Analytics|IntelligentTiering|Metrics)Configurations?|.*Bucket(Metadata|Abac).*|.*Annotations?|.*Torrent"
    r"|RenameObject|UpdateObjectEncryption|CreateSession|ListDirectoryBuckets",
}


def body_of(asked: Asked, code: str, message: str) -> tuple[str, bytes]:
    """Content type and body of an error in the request's protocol."""
    if asked.protocol == "json":
        return "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message}).encode()
    if asked.protocol == "rest-json":
        return "application/json", json.dumps({"message": message, "code": code}).encode()
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if asked.service == "s3":
        text = f"<Error>{error}<RequestId>local</RequestId></Error>"
    elif asked.protocol == "ec2":
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>local</RequestID></Response>"
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>local</RequestId></ErrorResponse>"
    return "text/xml", f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


class Refuse:
    """WSGI middleware around moto's application."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked: Asked = environ.get("nightjar.asked") or identify(environ)
        if re.fullmatch(PRETENDED.get(asked.service, "$^"), asked.action):
            return self._refuse(asked, NOT_IMPLEMENTED, "nothing here would execute it", start_response)
        answer: list[Any] = []

        def hold(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            answer[:] = [status, headers]

        try:
            parts = self._application(environ, hold)
        except NotImplementedError as error:
            return self._refuse(asked, NOT_IMPLEMENTED, str(error), start_response)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return self._refuse(asked, FAILED, f"{type(error).__name__}: {error}", start_response)
        status, headers = answer
        code = int(status.split(None, 1)[0])
        html = any(name.lower() == "content-type" and value.startswith("text/html") for name, value in headers)
        if code >= 500 or (code in (404, 405) and html and asked.service != "s3"):
            text = "" if html else b"".join(parts).decode("utf-8", "replace")[:500]
            if hasattr(parts, "close"):
                parts.close()
            return self._refuse(asked, NOT_IMPLEMENTED, f"moto answers HTTP {code} {text}".strip(), start_response)
        start_response(status, headers)
        return parts

    @staticmethod
    def _refuse(asked: Asked, code: str, reason: str, start_response: Any) -> Iterable[bytes]:
        if asked.service == "s3" and code == NOT_IMPLEMENTED:
            code = NOT_IMPLEMENTED_S3
        message = f"The local cloud cannot do {asked.service}:{asked.action} and did nothing. Reason: {reason}"
        content_type, body = body_of(asked, code, message)
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), ("x-amzn-errortype", code)]
        start_response(STATUS, headers)
        return [body]
