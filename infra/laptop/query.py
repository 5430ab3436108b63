"""``make query``: an Athena query on the local cloud, printed as a table."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from include.settings import Settings
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopError

POLL_SECONDS = 0.1
MAX_ROWS = 1000


@dataclass(frozen=True)
class Answer:
    """Columns and rows of a query; a NULL is None.

    Attributes:
        cut: Whether there are more rows than these.
    """

    columns: list[str]
    rows: list[list[str | None]]
    cut: bool


def run(aws: Aws, sql: str) -> Answer:
    """Runs a query in the workgroup and database of the DAGs, as the operator, who may do everything.

    Raises:
        LaptopError: The query failed; the text is Athena's.
    """
    fields = Settings.model_fields
    started = aws.athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": fields["glue_database"].default},
        WorkGroup=fields["athena_workgroup"].default,
    )
    key = {"QueryExecutionId": started["QueryExecutionId"]}
    while True:
        execution = aws.athena.get_query_execution(**key)["QueryExecution"]
        if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(POLL_SECONDS)
    if execution["Status"]["State"] != "SUCCEEDED":
        reason = execution["Status"].get("StateChangeReason", "no reason given")
        raise LaptopError(f"The query {execution['Status']['State'].lower()}: {reason}")
    return _results(aws, key, has_header=execution.get("StatementType") == "DML")


def _results(aws: Aws, key: dict[str, str], *, has_header: bool) -> Answer:
    columns: list[str] = []
    rows: list[list[str | None]] = []
    for page in aws.athena.get_paginator("get_query_results").paginate(**key):
        columns = [column["Name"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
        rows += [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]
        if len(rows) > MAX_ROWS + 1:
            break
    rows = rows[1:] if has_header else rows
    return Answer(columns, rows[:MAX_ROWS], len(rows) > MAX_ROWS)


def show(console: Console, answer: Answer) -> None:
    """Prints the rows as a table, and how many there are."""
    if answer.columns:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in answer.columns:
            table.add_column(escape(column), overflow="fold")
        for row in answer.rows:
            table.add_row(*("[dim]null[/]" if cell is None else escape(cell) for cell in row))
        console.print(table)
    count = f"the first {MAX_ROWS} rows; there are more" if answer.cut else f"{len(answer.rows)} rows"
    console.print(f"[dim]({count})[/]")
