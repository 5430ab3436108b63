"""Structured logs: one JSON object per line on stdout, uvicorn's included. ``request_id`` joins a request's lines."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar

from serving.clock import timestamp

request_id: ContextVar[str] = ContextVar("request_id", default="")


class JsonFormatter(logging.Formatter):
    """Formats a record as JSON.

    The fields are time (UTC), level, logger, message, the request's id, the dictionary given as ``extra={"data": …}``,
    and a traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns one line without its newline."""
        line = {
            "time": timestamp(record.created),
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


class _BufferedHandler(logging.Handler):
    """Passes each line to ``put``, which does not wait for stdout."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        super().__init__()
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._put(self.format(record).encode() + b"\n")
        except Exception:
            self.handleError(record)


def configure() -> None:
    """Sends every log through one handler. uvicorn's access log is switched off: the service writes its own."""
    write_directly()
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("uvicorn.access").disabled = True


def write_buffered(put: Callable[[bytes], None]) -> None:
    """Passes further log lines (with newline) to ``put``, so that a blocked stdout does not delay requests."""
    _install(_BufferedHandler(put))


def write_directly() -> None:
    """Writes further log lines to stdout before the logging call returns: at start and at exit no line may be lost."""
    _install(logging.StreamHandler(sys.stdout))


def _install(handler: logging.Handler) -> None:
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
