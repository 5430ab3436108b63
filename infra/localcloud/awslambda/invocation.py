"""Runs a function once: as a process with the temporary credentials of its role, and its time limit."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
import uuid
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.awslambda.models import LambdaFunction

from infra.localcloud.errors import AssumeRoleError
from infra.localcloud.install import Context
from infra.localcloud.jobs import ExitResult

RUNTIME = Path(__file__).with_name("runtime.py")
SERVICE = "lambda.amazonaws.com"


@dataclass(frozen=True)
class Outcome:
    """What an invocation answers.

    Attributes:
        payload: What the handler returned, as JSON, or the error in Lambda's form.
        failed: Whether it is an error.
        tail: The last lines of the log.
    """

    payload: str
    failed: bool
    tail: str = ""


def require_executable(function: LambdaFunction) -> None:
    """Checks that this server can run a function.

    Raises:
        NotImplementedError: It cannot; the text names the reason.
    """
    name, runtime = function.function_name, str(function.run_time or "")
    if function.package_type != "Zip" or not runtime.startswith("python"):
        kind = runtime or f"package type {function.package_type}"
        raise NotImplementedError(f"{name} has {kind}; only functions in Python that are an archive are run")
    if function.layers or (function.vpc_config or {}).get("SubnetIds"):
        raise NotImplementedError(f"{name} has layers or a VPC; functions are run without them")
    if not function.code_bytes:
        raise NotImplementedError(f"{name} has no code: its object was not in S3. Call UpdateFunctionCode")


def invoke(function: LambdaFunction, event: Any, context: Context) -> Outcome:
    """Runs a function and returns its answer.

    Raises:
        NotImplementedError: This server cannot run it.
    """
    require_executable(function)
    request = str(uuid.uuid4())
    folder = context.config.state / "functions" / function.function_name / request
    try:
        context.identity.check_trust(function.role, SERVICE, function.function_arn)
        folder.mkdir(parents=True)
        (folder / "event.json").write_text(json.dumps(event))
        result = _run(function, folder, request, context)
        return _outcome(function, folder / "result.json", result)
    except AssumeRoleError as error:
        return _error(
            "AccessDeniedException", f"The role defined for the function cannot be assumed by Lambda: {error}"
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(function: LambdaFunction, folder: Path, request: str, context: Context) -> ExitResult | None:
    code = _unpacked(function, context.config.state / "functions" / "code")
    logging = getattr(function, "settings", {}).get("LoggingConfig", {})
    group = logging.get("LogGroup") or function.logs_group_name
    stream = f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{request}"
    environment = {
        **function.environment_vars,
        "PYTHONPATH": str(code),
        "LAMBDA_TASK_ROOT": str(code),
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_LOG_GROUP_NAME": group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "NIGHTJAR_FUNCTION_ARN": function.function_arn,
        "NIGHTJAR_REQUEST_ID": request,
        "NIGHTJAR_TIMEOUT": str(function.timeout),
    }
    # -P: the folder of runtime.py is not on the path of the function.
    argv = [sys.executable, "-P", str(RUNTIME), str(function.handler), str(folder / "event.json")]
    job = context.runner.start(
        f"lambda-{function.function_name}",
        [*argv, str(folder / "result.json")],
        cwd=code,
        env=environment,
        role_arn=function.role,
        log_group=group,
        log_stream=stream,
        log_role_arn=function.role,
        timeout_seconds=float(function.timeout),
    )
    return job.wait()


def _unpacked(function: LambdaFunction, folder: Path) -> Path:
    """The folder of a function's code, named after its digest."""
    code = folder / hashlib.sha256(function.code_bytes).hexdigest()[:32]
    if not code.is_dir():
        partial = folder / f"{code.name}-{uuid.uuid4().hex}"
        with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
            archive.extractall(partial)
        try:
            partial.rename(code)
        except OSError:  # another invocation was first
            shutil.rmtree(partial)
    return code


def _outcome(function: LambdaFunction, file: Path, result: ExitResult | None) -> Outcome:
    tail = "\n".join(result.tail) if result else ""
    if result and result.kind == "timed_out":
        return _error("Sandbox.Timedout", f"Task timed out after {function.timeout:.2f} seconds", tail)
    if not file.is_file():
        return _error("Runtime.ExitError", f"The process ended without an answer: {tail[-1000:]}", tail)
    answer = json.loads(file.read_text())
    failed = "error" in answer
    return Outcome(json.dumps(answer["error"] if failed else answer["value"]), failed, tail)


def _error(kind: str, text: str, tail: str = "") -> Outcome:
    return Outcome(json.dumps({"errorMessage": text, "errorType": kind}), failed=True, tail=tail)
