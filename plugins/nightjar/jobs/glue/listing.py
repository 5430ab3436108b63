"""The runs of Glue jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from nightjar.jobs.glue.run import GlueRun
from nightjar.jobs.listing import JobListing, ListedJob

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient


@dataclass(frozen=True)
class GlueRuns(JobListing):
    """The runs of some Glue jobs. A run lasts two days at most, so one that began before is not listed.

    Attributes:
        job_names: The jobs.
    """

    job_names: tuple[str, ...]

    client_type = "glue"

    def listed(self, client: GlueClient, since: datetime) -> Iterator[ListedJob]:
        """Iterates over the runs that were started since an instant; Glue lists the newest first."""
        for name in self.job_names:
            for page in client.get_paginator("get_job_runs").paginate(JobName=name):
                runs = page["JobRuns"]
                for run in runs:
                    if run["StartedOn"] >= since:
                        described = {"JobRun": run}
                        yield ListedJob(GlueRun(name, run["Id"]), run["JobRunState"], run["StartedOn"], described)
                if runs and all(run["StartedOn"] < since for run in runs):
                    break
