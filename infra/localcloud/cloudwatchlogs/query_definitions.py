"""Saved queries of CloudWatch Logs Insights. They are texts: no query is run."""

from __future__ import annotations

import time
import uuid
from typing import Any

from moto.logs.responses import LogsResponse

from infra.localcloud.actions import AwsError, Members, answered_by, found, kept
from infra.localcloud.cloudwatchlogs.backend import LogsBackend

_MISSING = "The specified query definition does not exist."


def _backend(response: LogsResponse) -> LogsBackend:
    backend: Any = response.logs_backend
    assert isinstance(backend, LogsBackend)
    return backend


_answered = answered_by(_backend)


@_answered
def put_query_definition(backend: LogsBackend, request: Members) -> Members:
    """Answers PutQueryDefinition: creates a definition, or replaces the one with the given id."""
    name = request.get("queryDefinitionId")
    if name:
        found(backend.query_definitions, name, "ResourceNotFoundException", _MISSING)
    elif any(one["name"] == request["name"] for one in backend.query_definitions.values()):
        raise AwsError("InvalidParameterException", "Query definition with that name already exists.")
    name = name or str(uuid.uuid4())
    backend.query_definitions[name] = {
        **kept(request, "name", "queryString", "logGroupNames", "queryLanguage", "parameters"),
        "queryDefinitionId": name,
        "lastModified": int(time.time() * 1000),
    }
    return {"queryDefinitionId": name}


@_answered
def describe_query_definitions(backend: LogsBackend, request: Members) -> Members:
    """Answers DescribeQueryDefinitions."""
    prefix, language = request.get("queryDefinitionNamePrefix") or "", request.get("queryLanguage")
    listed = [
        one
        for one in sorted(backend.query_definitions.values(), key=lambda one: str(one["name"]))
        if one["name"].startswith(prefix) and language in (None, one.get("queryLanguage", "CWLI"))
    ]
    start, size = int(request.get("nextToken") or 0), int(request.get("maxResults") or 1000)
    more = {"nextToken": str(start + size)} if start + size < len(listed) else {}
    return {"queryDefinitions": listed[start : start + size], **more}


@_answered
def delete_query_definition(backend: LogsBackend, request: Members) -> Members:
    """Answers DeleteQueryDefinition."""
    found(backend.query_definitions, request["queryDefinitionId"], "ResourceNotFoundException", _MISSING)
    del backend.query_definitions[request["queryDefinitionId"]]
    return {"success": True}


ACTIONS = (put_query_definition, describe_query_definitions, delete_query_definition)
