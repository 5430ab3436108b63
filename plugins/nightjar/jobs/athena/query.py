"""A query that Athena runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from nightjar.jobs.job import CONSOLE, Description, LogStream, StoppableJob

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient


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
