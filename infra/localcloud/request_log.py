"""Records every request in ``<state>/requests.jsonl``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from infra.localcloud.request import ENVIRON_KEY, S3Operation, identify
from infra.localcloud.request_file import RequestFile, now
from infra.localcloud.request_record import RECORD_KEY, Record


class RequestLog:
    """WSGI middleware that identifies each request and records it.

    A line has the time, role, service, action, resource and status, and what ``Authorization`` decided: the IAM actions
    with their resources, the decision, and the policies and statements that decided.
    """

    def __init__(self, application: WSGIApplication, file: RequestFile, s3_operation: S3Operation) -> None:
        self._application = application
        self._file = file
        self._s3_operation = s3_operation

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request, and records it with its status."""
        request = environ[ENVIRON_KEY] = identify(environ, self._s3_operation)
        authorised = environ[RECORD_KEY] = Record()
        time = now()

        def record(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
            code = int(status.split(None, 1)[0])
            self._file.write(authorised, request.service, request.action, request.resource, code, time)
            return start_response(status, headers)

        return self._application(environ, record)
