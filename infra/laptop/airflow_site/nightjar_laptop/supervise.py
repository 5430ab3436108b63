"""Has the supervisor of a task notice at once that the task's process has ended (Linux).

Airflow's supervisor of a task sleeps until its process writes something, or a heartbeat is due. When the process closes
its pipes it has not quite ended yet, so its end was noticed only at the next heartbeat. With a heartbeat every second,
tasks that take seconds cost the API server more than anything else they do.
"""

from __future__ import annotations

import os
import selectors
from typing import Any

from airflow.sdk.execution_time.supervisor import WatchedSubprocess


def notice_ends_at_once(supervisor: type[WatchedSubprocess] = WatchedSubprocess) -> None:
    """Has each supervisor of this class, from now on, wait for the end of its process too."""
    register = supervisor._register_pipe_readers

    def register_with_process(self: Any, *pipes: Any, **options: Any) -> None:
        register(self, *pipes, **options)
        process = os.fdopen(os.pidfd_open(self.pid), closefd=True)
        self.selector.register(process, selectors.EVENT_READ, (lambda _: False, self.selector.unregister))

    if hasattr(os, "pidfd_open"):
        supervisor._register_pipe_readers = register_with_process  # type: ignore[method-assign]
