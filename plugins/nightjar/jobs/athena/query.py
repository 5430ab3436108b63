"""A query that Athena runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from nightjar.jobs.job import CONSOLE, Description, LogStream, StoppableJob
from nightjar.jobs.usage import JobUsage, job_usage

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient


# Athena returns no ClientRequestToken, so a query carries its key in a comment at its end. The comment is the same for
# every submit under the key: Athena refuses an equal token with another text.
_KEY_COMMENT = "\n-- submit-key: {}"
_KEY = re.compile(r"\n-- submit-key: (\S+)\s*\Z")


def with_key(query: str, key: str) -> str:
    """Returns a query with the key that it is submitted under."""
    return query.rstrip() + _KEY_COMMENT.format(key)


class AthenaQueryResult(TypedDict):
    """What the sensor returns. Locations are S3 URIs."""

    query_execution_id: str
    output_location: str | None
    manifest_location: str | None
    execution_seconds: float
    scanned_bytes: int


@dataclass(frozen=True)
class AthenaQuery(StoppableJob["AthenaClient"]):
    """One execution of a query.

    Attributes:
        query_execution_id: As the submit operator returned it.
    """

    query_execution_id: str

    client_type = "athena"
    describe_method = "get_query_execution"
    state_path = "QueryExecution.Status.State"
    active = frozenset({"QUEUED", "RUNNING"})
    succeeded = frozenset({"SUCCEEDED"})

    @property
    def identifier(self) -> str:
        """The execution's id."""
        return self.query_execution_id

    def describe_arguments(self) -> dict[str, Any]:
        """Returns the arguments of GetQueryExecution."""
        return {"QueryExecutionId": self.query_execution_id}

    def result(self, description: Description) -> AthenaQueryResult:
        """Returns where the results are, the running time and the bytes scanned."""
        query = description["QueryExecution"]
        statistics = query.get("Statistics", {})
        return {
            "query_execution_id": self.query_execution_id,
            "output_location": query.get("ResultConfiguration", {}).get("OutputLocation"),
            "manifest_location": statistics.get("DataManifestLocation"),
            "execution_seconds": statistics.get("TotalExecutionTimeInMillis", 0) / 1000,
            "scanned_bytes": statistics.get("DataScannedInBytes", 0),
        }

    def submit_key(self, description: Description) -> str | None:
        """Returns the key in the comment at the query's end."""
        found = _KEY.search(description["QueryExecution"].get("Query", ""))
        return found[1] if found else None

    def usages(self, client: AthenaClient, description: Description) -> list[JobUsage]:
        """Returns the bytes that it scanned. A failed query is free, and one that only describes or defines."""
        query = description["QueryExecution"]
        status, state = query["Status"], self.state(description)
        return [
            job_usage(
                "athena",
                "query",
                self.query_execution_id,
                state,
                self.submit_key(description),
                status.get("CompletionDateTime") or status["SubmissionDateTime"],
                scanned_bytes=query.get("Statistics", {}).get("DataScannedInBytes", 0),
                is_free=state == "FAILED" or query.get("StatementType", "DML") != "DML",
            )
        ]

    def reason(self, client: AthenaClient, description: Description) -> str:
        """Returns Athena's reason, and the query."""
        query = description["QueryExecution"]
        return f"{query['Status'].get('StateChangeReason') or 'Athena gives no reason'}\n{query['Query']}"

    def log_streams(self, client: AthenaClient, description: Description) -> list[LogStream]:
        """Returns nothing: Athena writes no log."""
        return []

    def console_link(self, region: str) -> str:
        """Returns the query's page in the editor's history."""
        return f"{CONSOLE}athena/home?region={region}#/query-editor/history/{self.query_execution_id}"

    def stop(self, client: AthenaClient) -> None:
        """Cancels the query."""
        client.stop_query_execution(QueryExecutionId=self.query_execution_id)
