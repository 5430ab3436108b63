"""One query and its state."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import duckdb

from infra.localcloud.athena import statements
from infra.localcloud.athena.errors import QueryCancelledError, QueryError
from infra.localcloud.athena.results import Result
from infra.localcloud.errors import SERVER_ENDED

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass(frozen=True)
class QueryRequest:
    """The members of StartQueryExecution that must be the same for the same ClientRequestToken.

    Attributes:
        query: The SQL text.
        context: QueryExecutionContext.
        location: The S3 location of results that the caller gives; None for that of the work group.
        work_group: The work group's name.
        parameters: ExecutionParameters, SQL literals.
    """

    query: str
    context: dict[str, Any]
    location: str | None
    work_group: str
    parameters: list[str]


@dataclass
class QueryExecution:
    """A query and its state: QUEUED, RUNNING, and at last SUCCEEDED, FAILED or CANCELLED.

    Attributes:
        id: The query's id.
        request: The request that started it.
        result_location: The S3 folder of its result.
        submitted: When it was submitted.
        reason: Why it failed or was cancelled.
        started: When it was submitted, running, ended: on the monotonic clock, in seconds.
        scanned: The bytes of the files that it read.
        connection: The connection in which it runs.
        lock: Guards ``state``, which the query's own thread and a stop both change: the first one to end it wins.
    """

    RUNTIME: ClassVar[dict[str, Any]] = {"connection": None}

    id: str
    request: QueryRequest
    result_location: str
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
        """DML, DDL or UTILITY."""
        return statements.statement_type(self.request.query)

    @property
    def extension(self) -> str:
        """The extension of its result file: csv for rows, txt for other statements."""
        word = statements.first_word(statements.bare(self.request.query))
        return "csv" if word in ("SELECT", "WITH", "VALUES", "TABLE", "EXECUTE") else "txt"

    @property
    def output(self) -> str:
        """The S3 URI of its result."""
        suffix = "" if self.result and self.result.manifest else f".{self.extension}"
        return f"{self.result_location}{self.id}{suffix}"

    @property
    def sealed(self) -> bool:
        """Whether it changes no more."""
        return self.state in ENDED

    def restored(self) -> None:
        """Ends a query that ran when the server ended."""
        if self.state not in ENDED:
            # The monotonic clock of the process that ended says nothing here.
            self.started = time.monotonic()
            self.running = None
            self.end("FAILED", SERVER_ENDED)

    def run(self) -> bool:
        """Marks it as running.

        Returns:
            False if it was stopped in the queue.
        """
        with self.lock:
            if self.state != "QUEUED":
                return False
            self.state, self.running = "RUNNING", time.monotonic()
            return True

    def end(self, state: str, reason: str | None = None) -> bool:
        """Ends it in this state.

        Returns:
            False if it has ended already.
        """
        with self.lock:
            if self.state in ENDED:
                return False
            self.state, self.reason, self.ended, self.completed = state, reason, time.monotonic(), datetime.now(UTC)
            return True

    def check(self) -> None:
        """Returns if the query shall go on.

        Raises:
            QueryCancelledError: It was stopped.
            QueryError: It is over its time limit.
        """
        if self.state == "CANCELLED":
            raise QueryCancelledError
        if self.timed_out:
            raise QueryError("Query timeout")

    def opened(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Remembers the connection in which the query runs, so that it can be interrupted."""
        with self.lock:
            self.connection = connection
        self.check()

    def closed(self) -> None:
        """Forgets the connection."""
        with self.lock:
            self.connection = None

    def interrupt(self) -> None:
        """Interrupts the running query."""
        with self.lock:
            if self.connection is not None:
                self.connection.interrupt()

    def time_out(self) -> None:
        """Interrupts the query because its time is over."""
        self.timed_out = True
        self.interrupt()
