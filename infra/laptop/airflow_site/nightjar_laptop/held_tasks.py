"""A LocalExecutor that starts no task while an earlier process of the same attempt has not ended.

A task that waits (for a trigger, or for a person's approval) gives up its process, which needs most of a second to end.
If the task were started again within that second, the scheduler would take the end of its first process for the death
of its second one, and fail it (apache/airflow#72716: the LocalExecutor of Airflow 3.3.1 does not note what it runs).
"""

from __future__ import annotations

import time
from typing import Any

from airflow.executors.local_executor import LocalExecutor
from airflow.executors.workloads import ExecuteTask
from airflow.utils.state import TaskInstanceState

# A process that was killed reports no end, so a task waits for an earlier one no longer than this.
HOLD_SECONDS = 15.0
ENDED = (TaskInstanceState.SUCCESS, TaskInstanceState.FAILED)


class HoldingLocalExecutor(LocalExecutor):
    """LocalExecutor that notes which processes have not ended, and holds the tasks that are due again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._processes: set[Any] = set()  # keys of tasks whose process has not ended
        self._held_since: dict[Any, float] = {}

    def heartbeat(self) -> None:
        """Acts as every executor, on the tasks that are not held."""
        held = {key: self.queued_tasks.pop(key) for key in self._held()}
        super().heartbeat()
        self.queued_tasks.update(held)

    def change_state(self, key: Any, state: Any, info: Any = None, remove_running: bool = True) -> None:
        """Notes the end of a process."""
        if state in ENDED:
            self._processes.discard(key)
        super().change_state(key, state, info, remove_running)

    def _process_workloads(self, workload_list: Any) -> None:
        self._processes.update(one.key for one in workload_list if isinstance(one, ExecuteTask))
        super()._process_workloads(workload_list)

    def _held(self) -> set[Any]:
        """The keys of queued tasks whose earlier process has not ended."""
        now = time.monotonic()
        waiting = self.queued_tasks.keys() & self._processes
        self._held_since = {key: self._held_since.get(key, now) for key in waiting}
        return {key for key, since in self._held_since.items() if now - since <= HOLD_SECONDS}
