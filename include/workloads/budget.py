"""What a workload may cost a month before paid extras are stopped (the block ``budget`` of its ``workload.yaml``)."""

from __future__ import annotations

from pydantic import Field

from include.workloads.strict import StrictModel


class BudgetSpec(StrictModel):
    """The budget. It stops paid extras, such as tuning, and never a night."""

    usd_per_month: float | None = Field(
        None, gt=0, description="dollars a month of jobs, service and storage (UTC); default: no budget"
    )
