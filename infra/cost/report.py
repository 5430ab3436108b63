"""Shows estimates: as tables, as JSON, and as a page that needs no network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.cost.estimate import Estimate
from infra.cost.tables import PriceTable, UsageTable

_WIDTH = 118


def as_json(estimates: Sequence[Estimate], notes: Mapping[str, str], prices: PriceTable, usage: UsageTable) -> str:
    """Everything, for a program."""
    document: dict[str, Any] = {
        "currency": "USD",
        "region": prices.region,
        "notes": dict(notes),
        "environments": {
            estimate.environment: {
                "total": round(estimate.total, 2),
                "one_more_workload": round(estimate.one_more_workload, 2),
                "resources": estimate.resources,
                "workloads": estimate.workloads,
                "modules": {name: round(usd, 2) for name, usd in estimate.modules().items()},
                "lines": [asdict(line) for line in estimate.lines],
                "usage": usage.environments[estimate.environment].model_dump(),
            }
            for estimate in estimates
        },
    }
    return json.dumps(document, indent=1)


def show(
    estimates: Sequence[Estimate],
    notes: Mapping[str, str],
    prices: PriceTable,
    usage: UsageTable,
    page: Path | None = None,
) -> None:
    """Prints the tables; with ``page``, also writes them as an HTML file."""
    console = Console(width=_WIDTH, record=page is not None, highlight=False)
    for estimate in estimates:
        console.print(_lines(estimate))
        console.print(notes[estimate.environment], "\n", sep="")
    console.print(_summary(estimates))
    console.print(_assumptions(usage))
    oldest = min(price.noted for price in prices.prices.values())
    recalled = sum(price.basis == "memory" for price in prices.prices.values())
    console.print(
        f"List prices of {prices.region}, the oldest noted on {oldest}; {recalled} of {len(prices.prices)} are from "
        "memory (marked *). Without free tiers, discounts, tax and support. "
        "Correct infra/cost/usage.yaml, then run it again."
    )
    if page:
        page.write_text(console.export_html(inline_styles=True))


def _lines(estimate: Estimate) -> Table:
    table = Table(title=f"{estimate.environment}: {estimate.resources} resources", title_justify="left", expand=True)
    for name, right in (
        ("module", False),
        ("resource", False),
        ("charge", False),
        ("quantity", True),
        ("USD a month", True),
    ):
        table.add_column(name, justify="right" if right else "left")
    module = None
    for line in estimate.lines:
        if line.usd < 0.005:
            continue
        if module not in (None, line.module):
            table.add_section()
        shown, module = "" if line.module == module else line.module or "root", line.module
        resource = f"{line.count} × {line.type.removeprefix('aws_')}" + (f" ({line.workload})" if line.workload else "")
        mark = " *" if line.basis == "memory" else ""
        table.add_row(shown, resource, line.what, f"{line.quantity:,.6g} {line.unit}", f"{line.usd:,.2f}{mark}")
    table.add_section()
    table.add_row("total", "", "", "", f"{estimate.total:,.2f}")
    return table


def _summary(estimates: Sequence[Estimate]) -> Table:
    table = Table(title="USD a month", title_justify="left")
    table.add_column("")
    for estimate in estimates:
        table.add_column(estimate.environment, justify="right")
    names = sorted({name for estimate in estimates for name in estimate.modules()})
    for name in names:
        table.add_row(name or "root", *(f"{estimate.modules().get(name, 0):,.2f}" for estimate in estimates))
    table.add_section()
    table.add_row("total", *(f"{estimate.total:,.2f}" for estimate in estimates))
    table.add_row("of it, each workload (one more costs this)", *(f"{e.one_more_workload:,.2f}" for e in estimates))
    return table


def _assumptions(usage: UsageTable) -> Table:
    table = Table(title="Assumed usage a month", title_justify="left", expand=True)
    for name in ("of", "what", *usage.environments):
        table.add_column(name, justify="right" if name in usage.environments else "left")
    for scope, meanings in usage.meaning.items():
        for name, meaning in meanings.items():
            amounts = [getattr(assumed, scope)[name] for assumed in usage.environments.values()]
            table.add_row(
                f"each {scope}" if scope == "workload" else scope, meaning, *(f"{amount:,g}" for amount in amounts)
            )
    return table
