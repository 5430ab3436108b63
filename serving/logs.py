"""Structured logs: one JSON object a line on stdout, uvicorn's own included. ``request_id`` joins the lines of a request."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")
log = logging.getLogger("serving")


class JsonFormatter(logging.Formatter):
    """Time (UTC), level, logger, message, the request's id, the dictionary given as ``extra={"data": …}``, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id.get():
            line["request_id"] = request_id.get()
        line |= getattr(record, "data", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class _Diverted(logging.Handler):
    """Hands each line to ``put`` instead of waiting until stdout has taken it."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        super().__init__()
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._put(self.format(record).encode() + b"\n")
        except Exception:
            self.handleError(record)


def configure() -> None:
    """Sends every log through one handler. The access log is the service's own, so uvicorn's is silenced."""
    restore()
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("uvicorn.access").disabled = True


def divert(put: Callable[[bytes], None]) -> None:
    """From now on a log line (newline included) goes to ``put``: a stdout that nobody reads must not hold up a request."""
    _install(_Diverted(put))


def restore() -> None:
    """From now on a log line is written to stdout by whoever logs it: at the start and at the end, nothing may be lost."""
    _install(logging.StreamHandler(sys.stdout))


def _install(handler: logging.Handler) -> None:
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
