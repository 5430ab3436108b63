"""Processes of a laptop's supervisor that run a piece of Python."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from infra.laptop.processes import ProcessRecord, Supervisor


def start(supervisor: Supervisor, name: str, code: str) -> ProcessRecord:
    """Starts a process that runs the code."""
    return supervisor.start(name, [sys.executable, "-c", code], env=dict(os.environ), cwd=supervisor.state)


def until(condition: Callable[[], Any]) -> Any:
    """Waits for a condition and returns its first true value."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("the condition did not become true")
