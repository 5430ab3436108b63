"""The state of one job run."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from infra.localcloud.errors import SERVER_ENDED
from infra.localcloud.jobs import Job

LOG_GROUP = "/aws-glue/jobs"


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


@dataclass
class JobRun:
    """A job run. Its state is STARTING, RUNNING, STOPPING, and at last SUCCEEDED, FAILED, STOPPED or TIMEOUT.

    Attributes:
        job_run_id: The run's id.
        job_name: The job's name.
        role: The ARN of the job's role.
        script: The S3 URI of the script.
        arguments: The arguments of the run and the job's defaults.
        timeout_minutes: The time limit.
        details: Members of GetJobRun's answer that change nothing here, such as WorkerType.
        error: Why the run failed.
        lock: Guards ``state``, which the run's own thread and a stop both change.
    """

    RUNTIME: ClassVar[dict[str, Any]] = {"job": None}

    job_run_id: str
    job_name: str
    role: str
    script: str
    arguments: dict[str, str]
    timeout_minutes: float
    details: dict[str, Any] = field(default_factory=dict)
    state: str = "STARTING"
    error: str | None = None
    started_on: datetime = field(default_factory=now)
    modified_on: datetime = field(default_factory=now)
    running_since: datetime | None = None
    completed_on: datetime | None = None
    job: Job | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def unfinished(self) -> bool:
        """Whether the run has not ended yet."""
        return self.state in ("STARTING", "RUNNING", "STOPPING")

    @property
    def sealed(self) -> bool:
        """Whether it changes no more."""
        return not self.unfinished

    def restored(self) -> None:
        """Ends a run whose process ended with the server."""
        if self.unfinished:
            self.finish("STOPPED" if self.state == "STOPPING" else "FAILED", SERVER_ENDED)

    def finish(self, state: str, error: str | None = None) -> None:
        """Ends the run in this state."""
        self.error, self.completed_on = error, now()
        self.modified_on, self.state = self.completed_on, state

    def stop(self) -> bool:
        """Starts to stop the run.

        Returns:
            False if the run has ended already.
        """
        with self.lock:
            if not self.unfinished:
                return False
            self.state, self.modified_on = "STOPPING", now()
            if self.job:
                self.job.stop()
        return True

    def as_dict(self) -> dict[str, Any]:
        """Returns the run as GetJobRun shows it; ExecutionTime is in seconds."""
        until = self.completed_on or now()
        answer = {
            "Id": self.job_run_id,
            "Attempt": 0,
            "JobName": self.job_name,
            "StartedOn": self.started_on,
            "LastModifiedOn": self.modified_on,
            "CompletedOn": self.completed_on,
            "JobRunState": self.state,
            "Arguments": self.arguments,
            "ErrorMessage": self.error,
            "PredecessorRuns": [],
            "ExecutionTime": round((until - self.running_since).total_seconds()) if self.running_since else 0,
            "Timeout": self.timeout_minutes,
            "LogGroupName": LOG_GROUP,
            **self.details,
        }
        return {name: value for name, value in answer.items() if value is not None}
