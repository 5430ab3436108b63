"""How long what can be made again from raw is kept."""

from __future__ import annotations

from pydantic import Field

from include.lake.days import JOBS_REMEMBERED_DAYS
from include.workloads.strict import StrictModel


class RetentionSpec(StrictModel):
    """Days after which transform runs and data sets go that nothing needs any more."""

    staging_days: int = Field(120, ge=JOBS_REMEMBERED_DAYS, description="transform runs that no day is published from")
    dataset_days: int = Field(120, ge=JOBS_REMEMBERED_DAYS, description="data sets of no approved or pending version")
