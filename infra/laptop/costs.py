"""``make costs``: what a workload has cost in a month, by stage and by day, and where the month is going."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from rich.console import Console
from rich.table import Table

from include.pipelines.cost.budget import Costs, costs_of
from include.pipelines.cost.ledger import UNCLAIMED, charges, dollars
from include.pipelines.cost.prices import prices
from include.pipelines.cost.report import MonthReport, month_report
from include.workloads import load
from infra.laptop import parts, vitals
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig
from infra.laptop.stages import STATE_TABLE


class ChargesOfTable:
    """Reads the charges in the state table of the local cloud."""

    def __init__(self, aws: Aws, table: str = STATE_TABLE) -> None:
        self._aws, self._table = aws, table

    def query(self, pk: str, *, last: int | None = None) -> dict[str, dict[str, Any]]:
        """Returns all items with this ``pk``."""
        pages = self._aws.dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
        )
        return {item["sk"]: item for page in pages for item in self._items(page)}

    def _items(self, page: dict[str, Any]) -> Iterator[dict[str, Any]]:
        read = TypeDeserializer()
        for item in page["Items"]:
            found = {name: read.deserialize(value) for name, value in item.items()}
            for name in ("usd", "quantity", "usd_month"):
                found[name] = None if found.get(name) is None else float(found[name])
            yield found


def command(config: LaptopConfig, given: argparse.Namespace) -> None:
    """Prints a month."""
    vitals.require_running(config, (parts.CLOUD,))
    present, state = datetime.now(UTC), ChargesOfTable(Aws(config))
    month = given.month or f"{present:%Y-%m}"
    days = _days(month)
    report = month_report(given.workload, month, charges(given.workload, *days, state))
    others = month_report(UNCLAIMED, month, charges(UNCLAIMED, *days, state))
    now = costs_of(load(given.workload), state, present) if month == f"{present:%Y-%m}" else None
    if given.json:
        document = {**report, "present": asdict(now) if now else None, "of_no_run_usd": others["usd"]}
        print(json.dumps({**document, "region": prices().region}, indent=2))
        return
    show(Console(highlight=False), report, others, now)


def show(console: Console, report: MonthReport, others: MonthReport, now: Costs | None) -> None:
    """Prints a month as tables."""
    table = Table(
        title=f"{report['workload']}, {report['month']} (UTC)", title_justify="left", box=None, pad_edge=False
    )
    for name in ("stage", "service", "charges", "failed", "quantity", "USD", "price of"):
        table.add_column(name, justify="left" if name in ("stage", "service", "price of") else "right")
    for line in report["lines"]:
        usd = "no price" if line["usd"] is None else f"{line['usd']:,.4f}"
        amount = f"{line['quantity']:,.4g} {line['unit']}"
        failed = str(line["failed"]) if line["failed"] else ""
        table.add_row(line["stage"], line["kind"], str(line["charges"]), failed, amount, usd, line["priced"])
    table.add_section()
    table.add_row("[bold]total", "", "", "", "", f"[bold]{report['usd']:,.4f}")
    console.print(table)
    for day, spent in report["days"].items():
        console.print(f"  {day}  {dollars(spent):>10}")
    if now:
        console.print(f"\n{now.sentence()}")
    if others["lines"]:
        console.print(f"Jobs that no run has asked for, of all workloads: {dollars(others['usd'])}.")
    if report["without_price"]:
        units = ", ".join(report["without_price"])
        console.print(f"[yellow]No price of {units}: add it to include/pipelines/cost/prices.yaml.[/]")
    console.print(
        f"List prices of {prices().region}. What the environments cost a month by Terraform's plan: make cost"
    )


def of_workload(aws: Aws, name: str) -> dict[str, Any]:
    """What ``make status`` shows of a workload's costs."""
    found = costs_of(load(name), ChargesOfTable(aws), datetime.now(UTC))
    return {
        "today_usd": found.spent["today"],
        "month_usd": found.spent["month"],
        "forecast_usd": found.forecast["month"],
        "budget_usd": found.budget,
        "month": found.month,
    }


def _days(month: str) -> tuple[date, date]:
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
