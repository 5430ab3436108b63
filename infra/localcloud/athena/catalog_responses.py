"""Athena's actions on work groups, data catalogs, named queries, prepared statements and table metadata.

moto creates most of these and cannot change or delete them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.athena.models import DataCatalog, NamedQuery, PreparedStatement, WorkGroup
from moto.athena.responses import AthenaResponse
from moto.glue.models import glue_backends

from infra.localcloud.athena.answers import answered, page
from infra.localcloud.athena.errors import InvalidRequestError, MetadataError, ResourceNotFoundError
from infra.localcloud.athena.models import AthenaBackend, group_of

OWN_CATALOG = "AwsDataCatalog"
_UPDATES = (
    "EnforceWorkGroupConfiguration",
    "PublishCloudWatchMetricsEnabled",
    "BytesScannedCutoffPerQuery",
    "RequesterPaysEnabled",
    "EngineVersion",
    "ExecutionRole",
    "AdditionalConfiguration",
    "EnableMinimumEncryptionConfiguration",
)


# --- work groups --------------------------------------------------------------------------------------------------


def _work_group(backend: AthenaBackend, name: str) -> WorkGroup:
    if name not in backend.work_groups:
        raise InvalidRequestError(f"WorkGroup {name} is not found.")
    return backend.work_groups[name]


@answered
def get_work_group(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers GetWorkGroup."""
    name = self._get_param("WorkGroup")
    _work_group(backend, name)
    return {"WorkGroup": backend.get_work_group(name)}


@answered
def update_work_group(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers UpdateWorkGroup."""
    group = _work_group(backend, self._get_param("WorkGroup"))
    updates = self._get_param("ConfigurationUpdates") or {}
    configuration = {**group.configuration, **{name: updates[name] for name in _UPDATES if name in updates}}
    if updates.get("RemoveBytesScannedCutoffPerQuery"):
        configuration.pop("BytesScannedCutoffPerQuery", None)
    results = dict(configuration.get("ResultConfiguration") or {})
    changed = dict(updates.get("ResultConfigurationUpdates") or {})
    for name in [name for name in changed if name.startswith("Remove")]:
        if changed.pop(name):
            results.pop(name.removeprefix("Remove"), None)
    configuration["ResultConfiguration"] = {**results, **changed}
    group.configuration = configuration
    if self._get_param("Description") is not None:
        group.description = self._get_param("Description")
    if self._get_param("State") is not None:
        group.state = self._get_param("State")
    return {}


@answered
def delete_work_group(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers DeleteWorkGroup."""
    name = self._get_param("WorkGroup")
    group = _work_group(backend, name)
    if name == "primary":
        raise InvalidRequestError("The primary workgroup cannot be deleted")
    named = [one for one in backend.named_queries.values() if one.workgroup is group]
    prepared = [key for key, one in backend.prepared_statements.items() if group_of(one) == name]
    used = named or prepared or any(one.request.work_group == name for one in backend.queries.values())
    if used and not self._get_param("RecursiveDeleteOption"):
        raise InvalidRequestError(f"WorkGroup {name} is not empty")
    for one in named:
        del backend.named_queries[one.id]
    for key in prepared:
        del backend.prepared_statements[key]
    backend.delete_work_group(name)
    return {}


# --- data catalogs ------------------------------------------------------------------------------------------------


def _catalog(backend: AthenaBackend, name: str) -> DataCatalog:
    if name not in backend.data_catalogs:
        raise InvalidRequestError(f"DataCatalog {name} was not found")
    return backend.data_catalogs[name]


@answered
def get_data_catalog(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers GetDataCatalog."""
    name = self._get_param("Name")
    if name.lower() == OWN_CATALOG.lower():
        return {"DataCatalog": {"Name": OWN_CATALOG, "Type": "GLUE", "Parameters": {"catalog-id": backend.account_id}}}
    found = _catalog(backend, name)
    return {
        "DataCatalog": {
            "Name": found.name,
            "Description": found.description,
            "Type": found.type,
            "Parameters": found.parameters,
            "Status": "CREATE_COMPLETE",
        }
    }


@answered
def list_data_catalogs(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers ListDataCatalogs."""
    listed = [{"CatalogName": OWN_CATALOG, "Type": "GLUE"}]
    listed += [{"CatalogName": one.name, "Type": one.type} for one in backend.data_catalogs.values()]
    shown, more = page(self, listed, 50)
    return {"DataCatalogsSummary": shown, **more}


@answered
def update_data_catalog(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers UpdateDataCatalog."""
    found = _catalog(backend, self._get_param("Name"))
    found.type = self._get_param("Type")
    found.description = self._get_param("Description", found.description)
    found.parameters = self._get_param("Parameters", found.parameters)
    return {}


@answered
def delete_data_catalog(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers DeleteDataCatalog."""
    name = self._get_param("Name")
    found = _catalog(backend, name)
    del backend.data_catalogs[name]
    return {
        "DataCatalog": {
            "Name": name,
            "Description": found.description,
            "Type": found.type,
            "Parameters": found.parameters,
            "Status": "DELETE_COMPLETE",
        }
    }


# --- named queries ------------------------------------------------------------------------------------------------


def _named(backend: AthenaBackend, query_id: str) -> NamedQuery:
    if query_id not in backend.named_queries:
        raise InvalidRequestError(f"NamedQuery {query_id} was not found")
    return backend.named_queries[query_id]


def _described(query: NamedQuery) -> dict[str, Any]:
    described = {
        "Name": query.name,
        "Database": query.database,
        "QueryString": query.query_string,
        "NamedQueryId": query.id,
        "WorkGroup": query.workgroup.name,
    }
    return described | ({"Description": query.description} if query.description else {})


@answered
def get_named_query(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers GetNamedQuery."""
    return {"NamedQuery": _described(_named(backend, self._get_param("NamedQueryId")))}


@answered
def batch_get_named_query(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers BatchGetNamedQuery."""
    ids = self._get_param("NamedQueryIds") or []
    return {
        "NamedQueries": [_described(backend.named_queries[one]) for one in ids if one in backend.named_queries],
        "UnprocessedNamedQueryIds": [
            {"NamedQueryId": one, "ErrorCode": "INVALID_INPUT", "ErrorMessage": f"NamedQuery {one} was not found"}
            for one in ids
            if one not in backend.named_queries
        ],
    }


@answered
def update_named_query(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers UpdateNamedQuery."""
    query = _named(backend, self._get_param("NamedQueryId"))
    query.name, query.query_string = self._get_param("Name"), self._get_param("QueryString")
    query.description = self._get_param("Description", query.description)
    return {}


@answered
def delete_named_query(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers DeleteNamedQuery."""
    del backend.named_queries[_named(backend, self._get_param("NamedQueryId")).id]
    return {}


# --- prepared statements ------------------------------------------------------------------------------------------


def _prepared(backend: AthenaBackend, name: str, work_group: str) -> PreparedStatement:
    found = backend.prepared_statements.get(name)
    if found is None or group_of(found) != work_group:
        raise ResourceNotFoundError(f"PreparedStatement {name} was not found in workGroup {work_group}")
    return found


@answered
def update_prepared_statement(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers UpdatePreparedStatement."""
    found = _prepared(backend, self._get_param("StatementName"), self._get_param("WorkGroup"))
    found.query_statement = self._get_param("QueryStatement")
    found.description = self._get_param("Description", found.description)
    found.last_modified_time = datetime.now(UTC)
    return {}


@answered
def delete_prepared_statement(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers DeletePreparedStatement."""
    name = self._get_param("StatementName")
    _prepared(backend, name, self._get_param("WorkGroup"))
    del backend.prepared_statements[name]
    return {}


@answered
def list_prepared_statements(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers ListPreparedStatements."""
    group = self._get_param("WorkGroup")
    listed = [
        {"StatementName": name, "LastModifiedTime": one.last_modified_time.timestamp()}
        for name, one in sorted(backend.prepared_statements.items())
        if group_of(one) == group
    ]
    shown, more = page(self, listed, 50)
    return {"PreparedStatements": shown, **more}


# --- databases and tables -----------------------------------------------------------------------------------------


@answered
def list_databases(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers ListDatabases from the Glue catalog."""
    glue = glue_backends[backend.account_id][backend.region_name]
    shown, more = page(self, [{"Name": name} for name in sorted(glue.databases)], 50)
    return {"DatabaseList": shown, **more}


def _metadata(table: dict[str, Any]) -> dict[str, Any]:
    def columns(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{key: one[key] for key in ("Name", "Type", "Comment") if key in one} for one in listed]

    return {
        "Name": table["Name"],
        "TableType": table.get("TableType", ""),
        "Columns": columns(table.get("StorageDescriptor", {}).get("Columns", [])),
        "PartitionKeys": columns(table.get("PartitionKeys", [])),
        "Parameters": table.get("Parameters", {}),
    }


def _tables(backend: AthenaBackend, database: str) -> dict[str, dict[str, Any]]:
    glue = glue_backends[backend.account_id][backend.region_name]
    if database.lower() not in glue.databases:
        raise MetadataError(f"Database {database} not found.")
    return {name: table.as_dict() for name, table in sorted(glue.databases[database.lower()].tables.items())}


@answered
def get_table_metadata(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers GetTableMetadata from the Glue catalog."""
    database, name = self._get_param("DatabaseName"), self._get_param("TableName")
    found = _tables(backend, database).get(name.lower())
    if found is None:
        raise MetadataError(f"EntityNotFoundException: Entity Not Found: {database}.{name}")
    return {"TableMetadata": _metadata(found)}


@answered
def list_table_metadata(self: AthenaResponse, backend: AthenaBackend) -> dict[str, Any]:
    """Answers ListTableMetadata from the Glue catalog."""
    listed = [_metadata(table) for table in _tables(backend, self._get_param("DatabaseName")).values()]
    shown, more = page(self, listed, 50)
    return {"TableMetadataList": shown, **more}


ACTIONS = (
    get_work_group,
    update_work_group,
    delete_work_group,
    get_data_catalog,
    list_data_catalogs,
    update_data_catalog,
    delete_data_catalog,
    get_named_query,
    batch_get_named_query,
    update_named_query,
    delete_named_query,
    update_prepared_statement,
    delete_prepared_statement,
    list_prepared_statements,
    list_databases,
    get_table_metadata,
    list_table_metadata,
)
