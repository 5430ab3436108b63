"""Athena's backend: moto's, with queries that run in threads of the server, each in a DuckDB of its own."""

from __future__ import annotations

import hashlib
import threading
import time
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.athena.models import AthenaBackend as MotoAthenaBackend
from moto.athena.models import PreparedStatement
from moto.glue.models import glue_backends

from infra.localcloud.athena import statements
from infra.localcloud.athena.aws import CallerAws, split_location
from infra.localcloud.athena.errors import InvalidRequestError, QueryCancelledError, QueryError
from infra.localcloud.athena.execution import StatementExecution
from infra.localcloud.athena.objects import ObjectCache
from infra.localcloud.athena.query import QueryExecution, QueryRequest
from infra.localcloud.install import Context

TIME_LIMIT_SECONDS = 30 * 60.0


class AthenaBackend(MotoAthenaBackend):
    """Executes queries, at most ``workers`` at a time. Work groups, named queries and the like are moto's."""

    RUNTIME: ClassVar[dict[str, Any]] = {"_callers": None, "_cache": None, "_slots": None}
    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.queries: dict[str, QueryExecution] = {}
        self._tokens: dict[str, str] = {}
        self._starting = threading.Lock()
        self._callers: dict[str, CallerAws] = {}
        self._cache = ObjectCache(self.context.config.state / "athena" / "objects")
        self._slots = threading.BoundedSemaphore(max(1, self.context.config.workers))

    # --- starting ----------------------------------------------------------------------------------------------

    def start(self, request: QueryRequest, token: str | None, access_key: str) -> str:
        """Starts a query and returns without waiting for it.

        Args:
            request: The query.
            token: ClientRequestToken; the same token with the same request gives the same query.
            access_key: The caller's access key, with which the query reads and writes.

        Returns:
            The query's id.

        Raises:
            InvalidRequestError: The query is empty, the token came with another request, there is no usable work
                group or location for results, or the caller may not ask for the location's bucket.
        """
        result_location = self._result_location(request.work_group, request.location)
        if not request.query.strip():
            raise InvalidRequestError("QueryString must not be empty")
        aws = self._caller(access_key)
        bucket = split_location(result_location)[0]
        if not aws.may_locate(bucket):
            raise InvalidRequestError(f"Unable to verify/create output bucket {bucket}")
        with self._starting:
            if token and token in self._tokens:
                known = self.queries[self._tokens[token]]
                if known.request != request:
                    raise InvalidRequestError(
                        "Idempotent parameters do not match: this ClientRequestToken came with another request before"
                    )
                return known.id
            query_id = self._new_id(token)
            execution = QueryExecution(query_id, request, result_location, datetime.now(UTC))
            self.queries[query_id] = execution
            if token:
                self._tokens[token] = query_id
        self.context.background.run(f"athena-{query_id}", self._run, execution, aws)
        return query_id

    def _caller(self, access_key: str) -> CallerAws:
        """Clients are expensive to make, and one session's credentials serve many queries: they are kept."""
        with self._starting:
            if access_key not in self._callers:
                self._callers[access_key] = CallerAws(self.context.identity.credentials_of(access_key), self._cache)
            return self._callers[access_key]

    def _new_id(self, token: str | None) -> str:
        seed = f"{token}|{len(self.queries)}|{time.time_ns()}"
        digest = hashlib.sha256(seed.encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"

    def _result_location(self, work_group: str, requested: str | None) -> str:
        group = self.work_groups.get(work_group)
        if group is None:
            raise InvalidRequestError(f"WorkGroup {work_group} is not found.")
        if group.state != "ENABLED":
            raise InvalidRequestError(f"WorkGroup {work_group} is disabled.")
        own = (group.configuration.get("ResultConfiguration") or {}).get("OutputLocation")
        enforced = group.configuration.get("EnforceWorkGroupConfiguration")
        location = (own or requested) if enforced else (requested or own)
        if not location:
            raise InvalidRequestError(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )
        if not location.startswith("s3://"):
            raise InvalidRequestError(f"outputLocation is not a valid S3 path: {location}")
        return str(location).rstrip("/") + "/"

    # --- running -----------------------------------------------------------------------------------------------

    def _run(self, execution: QueryExecution, aws: CallerAws) -> None:
        with self._slots:
            if not execution.run():
                return
            timer = threading.Timer(TIME_LIMIT_SECONDS, execution.time_out)
            timer.daemon = True
            timer.start()
            try:
                self._execute(execution, aws)
            except QueryCancelledError:
                pass
            except QueryError as error:
                self._end(execution, "FAILED", str(error))
            except Exception as error:  # a client waits for the query: every other failure must end it too
                self._end(execution, "FAILED", f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}")
                raise
            finally:
                timer.cancel()
                execution.closed()

    def _execute(self, execution: QueryExecution, aws: CallerAws) -> None:
        request = execution.request
        statement = StatementExecution(
            query_id=execution.id,
            sql=statements.with_parameters(request.query, request.parameters) if request.parameters else request.query,
            database=str(request.context.get("Database") or "default").lower(),
            result_location=execution.result_location,
            aws=aws,
            folder=self.context.config.state / "athena" / execution.id,
            check=execution.check,
            opened=execution.opened,
            prepared={
                name: str(kept.query_statement)
                for name, kept in self.prepared_statements.items()
                if group_of(kept) == request.work_group
            },
            prepare=lambda name, sql: self._prepare(request.work_group, name, sql),
            enforced=self._enforces(request.work_group),
        )
        try:
            result = statement.run()
        finally:
            execution.scanned = statement.scanned
        execution.check()
        execution.result = result
        if result.manifest is None:
            body = result.csv() if execution.extension == "csv" else result.text()
            aws.put(execution.output, body, "application/octet-stream")
        if not self._end(execution, "SUCCEEDED"):
            execution.result = None

    def _end(self, execution: QueryExecution, state: str, reason: str | None = None) -> bool:
        with self.context.state.background(self):
            return execution.end(state, reason)

    def _enforces(self, work_group: str) -> bool:
        """Whether a work group with a location of its own enforces it."""
        configuration = self.work_groups[work_group].configuration
        own = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
        return bool(own and configuration.get("EnforceWorkGroupConfiguration"))

    def _prepare(self, work_group: str, name: str, sql: str | None) -> None:
        if sql is None:
            self.prepared_statements.pop(name, None)
        else:
            self.create_prepared_statement(name, work_group, sql, "")  # type: ignore[arg-type]  # moto passes a name too

    # --- reading -----------------------------------------------------------------------------------------------

    def query(self, query_id: str) -> QueryExecution:
        """Finds a query.

        Raises:
            InvalidRequestError: There is no such query.
        """
        try:
            return self.queries[query_id]
        except KeyError:
            raise InvalidRequestError(f"QueryExecution {query_id} was not found") from None

    def stop(self, query_id: str) -> None:
        """Cancels a queued or running query; does nothing to one that has ended.

        Raises:
            InvalidRequestError: There is no such query.
        """
        execution = self.query(query_id)
        if execution.end("CANCELLED", "Query cancelled by user"):
            execution.interrupt()

    def get_database(self, catalog_name: str, database_name: str) -> dict[str, Any]:
        """Reads a database from the Glue catalog, which is Athena's."""
        databases = glue_backends[self.account_id][self.region_name].databases
        if database_name.lower() not in databases:
            return super().get_database(catalog_name, database_name)
        return {"Name": database_name.lower(), "Description": "", "Parameters": {}}


def group_of(kept: PreparedStatement) -> str:
    """Returns the name of a prepared statement's work group: moto keeps the object or the name."""
    return str(getattr(kept.workgroup, "name", kept.workgroup))
