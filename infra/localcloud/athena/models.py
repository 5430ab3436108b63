"""Athena that executes: queries run in a few threads of the server, each in a DuckDB of its own."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
from moto.athena.models import AthenaBackend as MotoAthenaBackend
from moto.athena.models import PreparedStatement
from moto.glue.models import glue_backends

from ..install import Context
from . import statements
from .aws import Aws
from .errors import QueryFailed
from .execute import Cancelled, Job
from .results import Result

TIME_LIMIT_SECONDS = 30 * 60.0
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


class InvalidRequest(Exception):
    """The request itself is wrong: answered as InvalidRequestException."""


@dataclass
class Execution:
    """One query. Its lock guards ``state``: who ends it first (its thread or a stop) wins."""

    id: str
    query: str
    context: dict[str, Any]
    work_group: str
    result_location: str
    parameters: list[str]
    asked: tuple[str, ...]
    submitted: datetime
    state: str = "QUEUED"
    reason: str | None = None
    started: float = field(default_factory=time.monotonic)
    running: float | None = None
    ended: float | None = None
    completed: datetime | None = None
    scanned: int = 0
    result: Result | None = None
    timed_out: bool = False
    connection: duckdb.DuckDBPyConnection | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def statement_type(self) -> str:
        return statements.statement_type(self.query)

    @property
    def extension(self) -> str:
        return (
            "csv"
            if statements.first_word(statements.bare(self.query)) in ("SELECT", "WITH", "VALUES", "TABLE", "EXECUTE")
            else "txt"
        )

    @property
    def output(self) -> str:
        return f"{self.result_location}{self.id}" + (
            "" if self.result and self.result.manifest else f".{self.extension}"
        )

    def end(self, state: str, reason: str | None = None) -> bool:
        """Ends it unless it has ended already."""
        with self.lock:
            if self.state in ENDED:
                return False
            self.state, self.reason, self.ended, self.completed = state, reason, time.monotonic(), datetime.now(UTC)
            return True

    def check(self) -> None:
        if self.state == "CANCELLED":
            raise Cancelled
        if self.timed_out:
            raise QueryFailed("Query timeout")

    def opened(self, connection: duckdb.DuckDBPyConnection) -> None:
        with self.lock:
            self.connection = connection
        self.check()

    def interrupt(self) -> None:
        with self.lock:
            if self.connection is not None:
                self.connection.interrupt()


class AthenaBackend(MotoAthenaBackend):
    """Work groups, named queries and the like are moto's; queries are ours."""

    context: Context

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queries: dict[str, Execution] = {}
        self._tokens: dict[str, str] = {}
        self._starting = threading.Lock()
        self._callers: dict[tuple[str, str | None], Aws] = {}
        self._slots = threading.BoundedSemaphore(max(1, self.context.config.workers))

    # --- starting ----------------------------------------------------------------------------------------------

    def start(
        self,
        *,
        query: str,
        context: dict[str, Any],
        location: str | None,
        work_group: str,
        parameters: list[str],
        token: str | None,
        access_key: str,
        session_token: str | None,
    ) -> str:
        """Accepts a query and returns its id at once. The same token with the same request gives the same id."""
        result_location = self._result_location(work_group, location)
        asked = (query, repr(sorted(context.items())), str(location), work_group, repr(parameters))
        if not query.strip():
            raise InvalidRequest("QueryString must not be empty")
        with self._starting:
            if token and token in self._tokens:
                known = self.queries[self._tokens[token]]
                if known.asked != asked:
                    raise InvalidRequest(
                        "Idempotent parameters do not match: this ClientRequestToken came with another request before"
                    )
                return known.id
            query_id = self._new_id(token)
            execution = Execution(
                query_id, query, context, work_group, result_location, parameters, asked, datetime.now(UTC)
            )
            self.queries[query_id] = execution
            if token:
                self._tokens[token] = query_id
            # Clients are dear to make; credentials of a session are used for many queries.
            caller = access_key, session_token
            if caller not in self._callers:
                self._callers[caller] = Aws(self.context.config.endpoint, self.region_name, access_key, session_token)
            aws = self._callers[caller]
        threading.Thread(target=self._run, args=(execution, aws), name=f"athena-{query_id}", daemon=True).start()
        return query_id

    def _new_id(self, token: str | None) -> str:
        seed = f"{token}|{len(self.queries)}|{time.time_ns()}"
        digest = hashlib.sha256(seed.encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"

    def _result_location(self, work_group: str, asked: str | None) -> str:
        group = self.work_groups.get(work_group)
        if group is None:
            raise InvalidRequest(f"WorkGroup {work_group} is not found.")
        if group.state != "ENABLED":
            raise InvalidRequest(f"WorkGroup {work_group} is disabled.")
        own = (group.configuration.get("ResultConfiguration") or {}).get("OutputLocation")
        enforced = group.configuration.get("EnforceWorkGroupConfiguration")
        location = (own or asked) if enforced else (asked or own)
        if not location:
            raise InvalidRequest(
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input."
            )
        if not location.startswith("s3://"):
            raise InvalidRequest(f"outputLocation is not a valid S3 path: {location}")
        return location.rstrip("/") + "/"

    # --- running -----------------------------------------------------------------------------------------------

    def _run(self, execution: Execution, aws: Aws) -> None:
        with self._slots:
            with execution.lock:
                if execution.state != "QUEUED":
                    return
                execution.state, execution.running = "RUNNING", time.monotonic()
            timer = threading.Timer(TIME_LIMIT_SECONDS, self._time_out, [execution])
            timer.daemon = True
            timer.start()
            try:
                self._execute(execution, aws)
            except Cancelled:
                pass
            except QueryFailed as error:
                execution.end("FAILED", str(error))
            except Exception as error:  # whatever else breaks must end the query: a client waits for it
                execution.end("FAILED", f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}")
                raise
            finally:
                timer.cancel()
                with execution.lock:
                    execution.connection = None

    @staticmethod
    def _time_out(execution: Execution) -> None:
        execution.timed_out = True
        execution.interrupt()

    def _execute(self, execution: Execution, aws: Aws) -> None:
        job = Job(
            query_id=execution.id,
            sql=statements.with_parameters(execution.query, execution.parameters)
            if execution.parameters
            else execution.query,
            database=str(execution.context.get("Database") or "default").lower(),
            result_location=execution.result_location,
            aws=aws,
            folder=self.context.config.state / "athena" / execution.id,
            check=execution.check,
            opened=execution.opened,
            prepared={
                name: kept.query_statement
                for name, kept in self.prepared_statements.items()
                if self._group_of(kept) == execution.work_group
            },
            prepare=lambda name, sql: self._prepare(execution.work_group, name, sql),
        )
        try:
            result = job.run()
        finally:
            execution.scanned = job.scanned
        execution.check()
        execution.result = result
        if result.manifest is None:
            aws.put(
                execution.output,
                result.csv() if execution.extension == "csv" else result.text(),
                "application/octet-stream",
            )
        if not execution.end("SUCCEEDED"):
            execution.result = None

    @staticmethod
    def _group_of(kept: PreparedStatement) -> str:
        return str(getattr(kept.workgroup, "name", kept.workgroup))

    def _prepare(self, work_group: str, name: str, sql: str | None) -> None:
        if sql is None:
            self.prepared_statements.pop(name, None)
        else:
            self.create_prepared_statement(name, work_group, sql, "")  # type: ignore[arg-type]

    # --- asking ------------------------------------------------------------------------------------------------

    def query(self, query_id: str) -> Execution:
        try:
            return self.queries[query_id]
        except KeyError:
            raise InvalidRequest(f"QueryExecution {query_id} was not found") from None

    def stop(self, query_id: str) -> None:
        """Ends a queued or running query; one that has ended stays as it is."""
        execution = self.query(query_id)
        if execution.end("CANCELLED", "Query cancelled by user"):
            execution.interrupt()

    def get_database(self, catalog_name: str, database_name: str) -> dict[str, Any]:
        """From the Glue catalog, which is Athena's."""
        databases = glue_backends[self.account_id][self.region_name].databases
        if database_name.lower() not in databases:
            return super().get_database(catalog_name, database_name)
        return {"Name": database_name.lower(), "Description": "", "Parameters": {}}
