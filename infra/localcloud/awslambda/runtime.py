"""The process of a function: imports the handler, calls it once, writes what it returned or raised to a file.

``runtime.py HANDLER EVENT_FILE RESULT_FILE``. It has the standard library alone, and is no part of the server.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any


class InvocationContext:
    """The second argument of a handler."""

    def __init__(self) -> None:
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = os.environ["NIGHTJAR_FUNCTION_ARN"]
        self.aws_request_id = os.environ["NIGHTJAR_REQUEST_ID"]
        self._ends = time.monotonic() + float(os.environ["NIGHTJAR_TIMEOUT"])

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's time limit."""
        return max(0, int((self._ends - time.monotonic()) * 1000))


def call(handler: str, event: Any) -> dict[str, Any]:
    """Calls the handler; returns its value, or the error in Lambda's form."""
    module, _, name = handler.rpartition(".")
    try:
        function = getattr(importlib.import_module(module.replace("/", ".")), name)
        return {"value": json.loads(json.dumps(function(event, InvocationContext())))}
    except Exception as error:
        traceback.print_exc()
        return {"error": {"errorMessage": str(error), "errorType": type(error).__name__}}


def main(handler: str, event: Path, result: Path) -> None:
    """Calls the handler with the event of a file."""
    answer = call(handler, json.loads(event.read_text()))
    partial = result.with_suffix(".partial")
    partial.write_text(json.dumps(answer))
    partial.replace(result)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
