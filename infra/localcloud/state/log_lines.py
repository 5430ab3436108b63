"""Lines that processes print: they reach moto's log streams outside of requests, and are saved soon after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.logs.models import LogsBackend

from infra.localcloud.state.backends import is_collecting

_METHODS = ("put_log_events", "ensure_log_group", "ensure_log_stream")


def observe_logs(soon: Callable[[BaseBackend], None]) -> None:
    """Saves a logs backend soon after one of its methods was called by a thread of the server.

    Args:
        soon: Saves a backend soon.
    """
    for name in _METHODS:
        original = getattr(LogsBackend, name)
        setattr(LogsBackend, name, _reporting(getattr(original, "original", original), soon))


def _reporting(original: Callable[..., Any], soon: Callable[[BaseBackend], None]) -> Callable[..., Any]:
    def method(self: LogsBackend, *args: Any, **options: Any) -> Any:
        result = original(self, *args, **options)
        if not is_collecting():
            soon(self)
        return result

    method.original = original  # type: ignore[attr-defined]  # a second server in this process replaces it
    return method
