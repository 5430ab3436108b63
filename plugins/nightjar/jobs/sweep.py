"""The sweep: looks at all jobs that AWS has, records those that have ended, and returns those that run.

A sensor records the end of its job. Of a job that was stopped, whose run was deleted or whose worker died, no sensor
sees the end: the sweep does. A job that a tuning job has started belongs to that: it is recorded, and not returned.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.exceptions import BotoCoreError, ClientError

from nightjar.jobs.job import StoppableJob
from nightjar.jobs.ledger import Claim, JobLedger
from nightjar.jobs.listing import JobListing, ListedJob

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunningJob:
    """A job that runs.

    Attributes:
        job: The job.
        begun: When it was submitted.
        claims: The runs that have asked for it, the first one first; none for a job that no submit task started.
    """

    job: StoppableJob[Any]
    begun: datetime
    claims: Sequence[Claim]

    @property
    def name(self) -> str:
        """Its id in AWS."""
        return self.job.identifier


@dataclass(frozen=True)
class JobSweep:
    """Sweeps some kinds of jobs.

    Attributes:
        ledger: Claims and records.
        listings: The kinds of jobs.
        region_name: AWS region; None for boto3's default.
    """

    ledger: JobLedger
    listings: Sequence[JobListing]
    region_name: str | None = None

    def sweep(self, recorded: Collection[str], since: datetime) -> list[RunningJob]:
        """Looks at the jobs that run, and at those since an instant; returns those that run.

        Args:
            recorded: Ids of the jobs that are recorded: they are not described again.
            since: The instant.
        """
        running: list[RunningJob] = []
        for listing in self.listings:
            client = self._client(listing.client_type)
            for listed in listing.listed(client, since):
                job = listed.job
                if listed.state in job.active:
                    running += self._running(listed, client)
                elif listed.state not in job.stopping and job.identifier not in recorded:
                    self.ledger.record(job, client, listed.description or job.describe(client))
        return running

    def stop(self, running: RunningJob) -> str:
        """Stops a job that still runs; returns why that was not possible, or nothing."""
        client = self._client(running.job.client_type)
        try:
            if running.job.stop_if_active(client):
                log.warning("%s was stopped", running.job)
        except (ClientError, BotoCoreError, RuntimeError) as error:
            log.exception("%s was not stopped", running.job)
            return str(error)
        return ""

    def _running(self, listed: ListedJob, client: Any) -> list[RunningJob]:
        description = listed.description or listed.job.describe(client)
        if listed.job.is_part_of_another(description):
            return []
        claims = self.ledger.claims(listed.job.submit_key(description))
        return [RunningJob(listed.job, listed.begun, claims)]

    def _client(self, client_type: str) -> Any:
        return AwsBaseHook(aws_conn_id=None, region_name=self.region_name, client_type=client_type).conn
