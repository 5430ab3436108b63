"""The supervisor of a task sees the end of its process at once. Needs Airflow, as test_executor.py does."""

from __future__ import annotations

import importlib
import os
import time
import uuid
from typing import Any

import pytest

from infra.laptop.airflow_environment import SITE

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of a process's end"),
]
LONGER_THAN_THE_TEST = 3600.0


def end_after_the_pipes() -> None:
    """Closes its pipes, and ends a moment later."""
    os.closerange(0, 1000)
    time.sleep(0.3)
    os._exit(7)


def test_the_end_of_a_process_that_has_closed_its_pipes_wakes_its_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SITE)
    base: Any = importlib.import_module("airflow.sdk.execution_time.supervisor").WatchedSubprocess

    class Supervisor(base):
        def exit_code(self) -> int:
            code = None
            while code is None:
                code = self._service_subprocess(LONGER_THAN_THE_TEST)
            return code

    importlib.import_module("nightjar_laptop.supervise").notice_ends_at_once(Supervisor)
    process = Supervisor.start(target=end_after_the_pipes, id=uuid.uuid4())
    assert process.exit_code() == 7
    assert not process.selector.get_map()
