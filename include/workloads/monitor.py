"""How a workload is monitored (the block ``monitor`` of its ``workload.yaml``)."""

from __future__ import annotations

from pydantic import Field

from include.workloads.strict import StrictModel


class MonitorSpec(StrictModel):
    """What a monitor run looks at, and whether it may ask for a retrain run."""

    retrain_on_drift: bool = Field(
        False, description="confirmed drift asks for a retrain run, at most once a day for the workload"
    )
    hours: int = Field(24, ge=1, le=168, description="hours of requests that are compared with the training data")
    period_days: int = Field(7, ge=1, le=92, description="days of predictions whose late labels are looked for")
