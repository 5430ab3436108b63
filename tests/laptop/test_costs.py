"""`make costs` prints a month by stage, with the forecast and what has no price."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from include.pipelines.cost.budget import Costs
from include.pipelines.cost.report import month_report
from infra.laptop.costs import ChargesOfTable, show


def item(stage: str, usd: float | None, **more: Any) -> Any:
    given = {"kind": "glue", "day": "2026-11-10", "quantity": 0.1, "unit": "DPU hours", "priced": "2026-11-28"}
    return {**given, "stage": stage, "usd": usd, "state": "SUCCEEDED", **more}


def printed(items: list[Any], others: list[Any], now: Costs | None) -> str:
    console = Console(file=io.StringIO(), width=140)
    show(console, month_report("shop", "2026-11", items), month_report("-", "2026-11", others), now)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_month_has_a_line_for_each_stage_and_names_failures_and_missing_prices() -> None:
    items = [item("transform", 0.25), item("transform", 0.5, state="FAILED"), item("train", None, unit="hours of ml.x")]
    text = printed(items, [item("query", 0.1)], None)
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert lines["transform"] == ["transform", "glue", "2", "1", "0.2", "DPU", "hours", "0.7500", "2026-11-28"]
    assert lines["total"] == ["total", "0.7500"] and lines["2026-11-10"] == ["2026-11-10", "$0.7500"]
    assert "No price of hours of ml.x: add it to" in text
    assert "Jobs that no run has asked for, of all workloads: $0.1000." in text


def test_of_the_month_that_goes_on_the_forecast_is_shown() -> None:
    spent: Any = {"today": 1.0, "month": 3.0}
    forecast: Any = {"month": 90.0, "basis": "the last nights"}
    text = printed([], [], Costs("shop", "2026-11", 50.0, spent, forecast))
    assert "shop has cost $1.00 today and $3.00 in 2026-11; about $90.00 by its end" in text
    assert "The budget is $50.00 a month." in text


class Dynamo:
    """A table in two pages."""

    def get_paginator(self, name: str) -> Any:
        return self

    def paginate(self, **request: Any) -> list[Any]:
        assert request["ExpressionAttributeValues"] == {":pk": {"S": "cost#shop#2026-11"}}
        rows = [{"sk": {"S": str(number)}, "usd": {"N": "0.25"}, "quantity": {"N": "1"}} for number in range(2)]
        return [{"Items": [row]} for row in rows]


def test_all_pages_of_the_table_are_read_as_numbers() -> None:
    class Aws:
        dynamodb = Dynamo()

    aws: Any = Aws()
    found = ChargesOfTable(aws).query("cost#shop#2026-11")
    assert [(sk, charge["usd"]) for sk, charge in found.items()] == [("0", 0.25), ("1", 0.25)]
