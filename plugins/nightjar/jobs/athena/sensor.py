"""Sense an Athena query."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from nightjar.jobs.console import console_link
from nightjar.jobs.sensor import JobSensor


class AthenaQuerySensor(JobSensor):
    """Returns ``{"query_execution_id", "output_location", "manifest_location", "execution_seconds", "scanned_bytes"}``.

    :param query_execution_id: as the submit operator returned it.
    """

    client_type = "athena"
    method = "get_query_execution"
    state_path = "QueryExecution.Status.State"
    running = ("QUEUED", "RUNNING")
    succeeded = ("SUCCEEDED",)
    template_fields = aws_template_fields("query_execution_id")

    def __init__(self, *, query_execution_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.query_execution_id = query_execution_id

    def arguments(self) -> dict[str, Any]:
        return {"QueryExecutionId": self.query_execution_id}

    def result(self, answer: dict[str, Any]) -> dict[str, Any]:
        query = answer["QueryExecution"]
        statistics = query.get("Statistics", {})
        return {
            "query_execution_id": self.query_execution_id,
            "output_location": query.get("ResultConfiguration", {}).get("OutputLocation"),
            "manifest_location": statistics.get("DataManifestLocation"),
            "execution_seconds": statistics.get("TotalExecutionTimeInMillis", 0) / 1000,
            "scanned_bytes": statistics.get("DataScannedInBytes", 0),
        }

    def reason(self, answer: dict[str, Any]) -> str:
        query = answer["QueryExecution"]
        return f"{query['Status'].get('StateChangeReason') or 'Athena gives no reason'}\n{query['Query']}"

    def log_streams(self, answer: dict[str, Any]) -> list[tuple[str, str]]:
        return []

    def console_link(self) -> str:
        return console_link("athena", self.region_name, self.query_execution_id)
