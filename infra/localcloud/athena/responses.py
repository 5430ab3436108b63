"""Athena's actions on queries; every other action is moto's."""

from __future__ import annotations

from typing import Any

from moto.athena.responses import AthenaResponse

from infra.localcloud.athena import catalog_responses
from infra.localcloud.athena.answers import PAGE, answered, bounds, following
from infra.localcloud.athena.errors import InvalidRequestError
from infra.localcloud.athena.models import AthenaBackend
from infra.localcloud.athena.query import QueryExecution, QueryRequest


@answered
def start_query_execution(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers StartQueryExecution."""
    configuration = self._get_param("ResultConfiguration") or {}
    token = self._get_param("ClientRequestToken")
    if token is not None and not 32 <= len(token) <= 128:
        raise InvalidRequestError("ClientRequestToken must have 32 to 128 characters")
    request = QueryRequest(
        query=self._get_param("QueryString") or "",
        context=self._get_param("QueryExecutionContext") or {},
        location=configuration.get("OutputLocation"),
        work_group=self._get_param("WorkGroup") or "primary",
        parameters=self._get_param("ExecutionParameters") or [],
    )
    return {"QueryExecutionId": backend.start(request, token, self.access_key)}


def _milliseconds(start: float | None, end: float | None) -> int:
    return round((end - start) * 1000) if start is not None and end is not None else 0


def _described(execution: QueryExecution) -> dict[str, Any]:
    """The query as GetQueryExecution answers it."""
    status: dict[str, Any] = {"State": execution.state, "SubmissionDateTime": execution.submitted.timestamp()}
    if execution.completed is not None:
        status["CompletionDateTime"] = execution.completed.timestamp()
    if execution.reason:
        status["StateChangeReason"] = execution.reason
    if execution.state == "FAILED":
        status["AthenaError"] = {
            "ErrorCategory": 1 if str(execution.reason).startswith("GENERIC_INTERNAL_ERROR") else 2,
            "ErrorType": 0,
            "Retryable": False,
            "ErrorMessage": execution.reason,
        }
    engine = _milliseconds(execution.running, execution.ended)
    statistics: dict[str, Any] = {
        "EngineExecutionTimeInMillis": engine,
        "DataScannedInBytes": execution.scanned,
        "TotalExecutionTimeInMillis": _milliseconds(execution.started, execution.ended),
        "QueryQueueTimeInMillis": _milliseconds(execution.started, execution.running),
        "ServiceProcessingTimeInMillis": 0,
        "ResultReuseInformation": {"ReusedPreviousResult": False},
    }
    if execution.result is not None and execution.result.manifest:
        statistics["DataManifestLocation"] = execution.result.manifest
    answer: dict[str, Any] = {
        "QueryExecutionId": execution.id,
        "Query": execution.request.query,
        "StatementType": execution.statement_type,
        "ResultConfiguration": {"OutputLocation": execution.output},
        "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        "QueryExecutionContext": execution.request.context,
        "Status": status,
        "Statistics": statistics,
        "WorkGroup": execution.request.work_group,
        "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
    }
    if execution.request.parameters:
        answer["ExecutionParameters"] = execution.request.parameters
    return answer


@answered
def get_query_execution(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers GetQueryExecution."""
    return {"QueryExecution": _described(backend.query(self._get_param("QueryExecutionId")))}


@answered
def batch_get_query_execution(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers BatchGetQueryExecution."""
    ids = self._get_param("QueryExecutionIds") or []
    unknown = [query_id for query_id in ids if query_id not in backend.queries]
    return {
        "QueryExecutions": [_described(backend.queries[query_id]) for query_id in ids if query_id in backend.queries],
        "UnprocessedQueryExecutionIds": [
            {
                "QueryExecutionId": query_id,
                "ErrorCode": "INVALID_INPUT",
                "ErrorMessage": f"QueryExecution {query_id} was not found",
            }
            for query_id in unknown
        ],
    }


@answered
def list_query_executions(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers ListQueryExecutions, newest first."""
    work_group = self._get_param("WorkGroup") or "primary"
    start, limit = bounds(self, 50)
    newest = [one.id for one in reversed(backend.queries.values()) if one.request.work_group == work_group]
    return {"QueryExecutionIds": newest[start : start + limit], **following(start, limit, len(newest))}


@answered
def get_query_results(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers GetQueryResults."""
    execution = backend.query(self._get_param("QueryExecutionId"))
    if execution.state != "SUCCEEDED" or execution.result is None:
        raise InvalidRequestError(
            f"Query did not finish successfully. Final query state: {execution.state}"
            if execution.completed
            else f"Query has not yet finished. Current state: {execution.state}"
        )
    result = execution.result
    start, limit = bounds(self, PAGE)
    header: list[list[str | None]] = (
        [[name for name, _ in result.columns]] if result.header and result.update_count is None else []
    )
    total = len(header) + len(result.rows)
    rows = [*header, *result.rows] if start == 0 else result.rows
    offset = start - (len(header) if start else 0)
    shown = rows[offset : offset + limit]
    data = [{"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in shown]
    answer: dict[str, Any] = {"ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": result.metadata()}}}
    if result.update_count is not None:
        answer["UpdateCount"] = result.update_count
    return {**answer, **following(start, limit, total)}


@answered
def stop_query_execution(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers StopQueryExecution."""
    backend.stop(self._get_param("QueryExecutionId"))
    return {}


@answered
def get_query_runtime_statistics(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers GetQueryRuntimeStatistics; there are no stages, because DuckDB has none."""
    execution = backend.query(self._get_param("QueryExecutionId"))
    found = _described(execution)["Statistics"]
    timeline = {name: value for name, value in found.items() if name.endswith("InMillis")}
    rows = {"InputBytes": execution.scanned}
    if execution.result is not None:
        rows["OutputRows"] = len(execution.result.rows)
    return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": rows}}


ACTIONS = (
    get_query_runtime_statistics,
    start_query_execution,
    get_query_execution,
    batch_get_query_execution,
    list_query_executions,
    get_query_results,
    stop_query_execution,
    *catalog_responses.ACTIONS,
)
