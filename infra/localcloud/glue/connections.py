"""Glue's actions on connections that moto lacks. Jobs do not read connections."""

from __future__ import annotations

from moto.core.utils import utcnow
from moto.glue.exceptions import EntityNotFoundException
from moto.glue.models import FakeConnection
from moto.glue.responses import GlueResponse

from infra.localcloud.actions import Members, answered_by
from infra.localcloud.glue.models import GlueBackend


def _backend(response: GlueResponse) -> GlueBackend:
    backend = response.glue_backend
    assert isinstance(backend, GlueBackend)
    return backend


_answered = answered_by(_backend)


def _connection(backend: GlueBackend, name: str) -> FakeConnection:
    if name not in backend.connections:
        raise EntityNotFoundException(f"Connection {name} not found.")
    return backend.connections[name]


@_answered
def get_connection(backend: GlueBackend, request: Members) -> Members:
    """Answers GetConnection."""
    return {"Connection": _described(_connection(backend, request["Name"]), request)}


@_answered
def get_connections(backend: GlueBackend, request: Members) -> Members:
    """Answers GetConnections."""
    found, token = backend.get_connections(
        catalog_id=request.get("CatalogId"),
        filter=request.get("Filter") or {},
        next_token=request.get("NextToken"),
        max_results=request.get("MaxResults"),
    )
    return {"ConnectionList": [_described(one, request) for one in found], "NextToken": token}


def _described(connection: FakeConnection, request: Members) -> Members:
    """What was given, and what Glue adds; without the password if the request says so."""
    given = dict(connection.connection_input)
    if request.get("HidePassword"):
        properties = given.get("ConnectionProperties", {})
        given["ConnectionProperties"] = {name: value for name, value in properties.items() if name != "PASSWORD"}
    return {
        **given,
        "CreationTime": connection.created_time,
        "LastUpdatedTime": connection.updated_time,
        "Status": connection.status,
    }


@_answered
def update_connection(backend: GlueBackend, request: Members) -> Members:
    """Answers UpdateConnection: the new definition replaces the old one."""
    before = _connection(backend, request["Name"])
    definition = {**request["ConnectionInput"], "Name": request["Name"]}
    changed = FakeConnection(backend, before.catalog_id, definition, {})
    changed.created_time, changed.updated_time = before.created_time, utcnow()
    backend.connections[request["Name"]] = changed
    return {}


@_answered
def delete_connection(backend: GlueBackend, request: Members) -> Members:
    """Answers DeleteConnection."""
    _delete(backend, request["ConnectionName"])
    return {}


@_answered
def batch_delete_connection(backend: GlueBackend, request: Members) -> Members:
    """Answers BatchDeleteConnection."""
    names = list(dict.fromkeys(request["ConnectionNameList"]))
    known = [name for name in names if name in backend.connections]
    for name in known:
        _delete(backend, name)
    errors = {
        name: {"ErrorCode": "EntityNotFoundException", "ErrorMessage": f"Connection {name} not found."}
        for name in names
        if name not in known
    }
    return {"Succeeded": known, "Errors": errors}


def _delete(backend: GlueBackend, name: str) -> None:
    arn = _connection(backend, name).arn
    del backend.connections[name]
    backend.tagger.delete_all_tags_for_resource(arn)


ACTIONS = (get_connection, get_connections, update_connection, delete_connection, batch_delete_connection)
