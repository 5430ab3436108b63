"""The queries of a work group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from nightjar.jobs.athena.query import AthenaQuery
from nightjar.jobs.listing import JobListing, ListedJob

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

PAGE = 50  # what BatchGetQueryExecution takes


@dataclass(frozen=True)
class AthenaQueries(JobListing):
    """The queries of a work group. A query ends within hours, so one that was submitted before is not listed.

    Attributes:
        workgroup: The work group.
    """

    workgroup: str

    client_type = "athena"

    def listed(self, client: AthenaClient, since: datetime) -> Iterator[ListedJob]:
        """Iterates over the queries that were submitted since an instant; Athena lists the newest first."""
        pages = client.get_paginator("list_query_executions").paginate(
            WorkGroup=self.workgroup, PaginationConfig={"PageSize": PAGE}
        )
        for page in pages:
            if not page["QueryExecutionIds"]:
                return
            found = client.batch_get_query_execution(QueryExecutionIds=page["QueryExecutionIds"])["QueryExecutions"]
            for query in found:
                status = query["Status"]
                if status["SubmissionDateTime"] >= since:
                    job = AthenaQuery(query["QueryExecutionId"])
                    described = {"QueryExecution": query}
                    yield ListedJob(job, status["State"], status["SubmissionDateTime"], described)
            if found and all(query["Status"]["SubmissionDateTime"] < since for query in found):
                return
