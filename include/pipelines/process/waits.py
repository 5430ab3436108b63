"""What a process run waits for, and what a retrain run does: arguments of the sensor of the state table."""

from __future__ import annotations

from typing import Any

from include.errors import RefusedError
from include.lake import state_keys
from include.pipelines.ingest.complete import completing_advice, watermark_status
from include.pipelines.process.days import RefusedDayError, day_status
from include.workloads import Workload


def raw_wait(workload: Workload, cutoff: Any) -> dict[str, Any]:
    """Returns the wait until the stream and the tables of a workload are complete in raw.

    Args:
        workload: The workload.
        cutoff: The instant up to which they must be, or a reference to it.
    """
    return {
        "keys": [
            state_keys.watermark_key(workload.name, source) for source in (workload.stream.name, *workload.tables)
        ],
        "check": watermark_status,
        "arguments": {"at_least": cutoff},
        "advice": completing_advice(workload),
    }


def day_wait(workload: Workload, day: Any) -> dict[str, Any]:
    """Returns the wait until a day is published or refused.

    Args:
        workload: The workload.
        day: The day, or a reference to it.
    """
    return {
        "keys": [(state_keys.day_partition_key(workload.name), day)],
        "check": day_status,
        "arguments": {"tolerated": workload.dataset.missing_days},
        "fail": RefusedError,
        "reported": RefusedDayError,
        "advice": "Look at the process DAG's run of that day, then clear this task.",
    }
