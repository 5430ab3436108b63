"""Prints what the environments dev and prod cost a month.

The resources are those of a snapshot of each environment's plan, which is checked in, so that no Terraform is needed.
``--fresh`` plans again and writes new snapshots; ``--plan`` takes the JSON of ``terraform show -json`` instead.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from infra.cost import report, resources
from infra.cost.estimate import Estimate, Estimator
from infra.cost.tables import CostError, PriceTable, UsageTable, read_prices, read_usage
from infra.laptop.config import LaptopError


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        prices, usage = read_prices(), read_usage()
        resources.require_known(resources.source_types(), prices, "infra/terraform")
        notes: dict[str, str] = {}
        estimates = [_estimate(name, given, prices, usage, notes) for name in given.env or usage.environments]
        if given.json:
            print(report.as_json(estimates, notes, prices, usage))
        else:
            report.show(estimates, notes, prices, usage, given.html)
    except (CostError, LaptopError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m infra.cost", description=__doc__)
    made.add_argument("--env", action="append", help="dev or prod; default: both")
    made.add_argument("--plan", type=Path, help="JSON of a plan of the one environment (terraform show -json)")
    made.add_argument("--fresh", action="store_true", help="plan again with Terraform, and write the snapshots")
    made.add_argument("--json", action="store_true", help="print JSON")
    made.add_argument("--html", type=Path, help="also write the tables to this file")
    return made


def _estimate(
    environment: str, given: argparse.Namespace, prices: PriceTable, usage: UsageTable, notes: dict[str, str]
) -> Estimate:
    if environment not in usage.environments:
        raise CostError(f"ENV={environment}: infra/cost/usage.yaml has no such environment. Add it, or choose another.")
    workloads = resources.workload_names()
    snapshot = resources.SNAPSHOTS / f"{environment}.json"
    if given.plan:
        if not given.env or len(given.env) != 1:
            raise CostError("PLAN is the plan of one environment: name it with ENV=dev or ENV=prod.")
        groups = resources.from_plan(json.loads(given.plan.read_text()), prices, workloads)
        notes[environment] = f"Resources: the plan in {given.plan}."
    elif given.fresh:
        from infra.cost import fresh

        groups = resources.from_plan(fresh.plan(environment), prices, workloads)
        day = datetime.now(UTC).date().isoformat()
        resources.save(snapshot, environment, groups, resources.source_digest(), day)
        notes[environment] = f"Resources: planned now, and written to {snapshot.relative_to(resources.ROOT)}."
    else:
        groups, of = resources.load(snapshot)
        notes[environment] = f"Resources: the snapshot of a plan of {of['planned']}."
        if of["sources"] != resources.source_digest():
            notes[environment] += " infra/terraform has changed since: counts may differ. Plan again: make cost FRESH=1"
    return Estimator(prices, usage.environments[environment], len(workloads)).estimate(environment, groups)


if __name__ == "__main__":
    sys.exit(main())
