"""Plans Terraform, and lists what an apply would change: addresses and actions, no values.

A person approves such a list. Before the apply, the plan is made again, and with ``--expect`` it must be the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from infra.delivery import command, programs
from infra.delivery.command import DeliveryError
from infra.package.tree import ROOT

TERRAFORM = ROOT / "infra" / "terraform"
CHANGED = 2  # plan's exit code, with -detailed-exitcode


def changes(terraform: Path, environment: str, plan: Path, *, lock: bool) -> list[str]:
    """Plans, and returns ``address: actions`` of every resource and output that an apply would change.

    Args:
        terraform: The root, initialized.
        environment: Which of ``environments/<environment>.tfvars``.
        plan: The file that gets the plan.
        lock: Whether to hold the state's lock.
    """
    here = f"-chdir={terraform}"
    asked = ["-input=false", f"-lock={str(lock).lower()}", "-detailed-exitcode", "-no-color", f"-out={plan}"]
    variables = f"-var-file=environments/{environment}.tfvars"
    code, _ = programs.output(["terraform", here, "plan", *asked, variables], codes=(0, CHANGED))
    if code != CHANGED:
        return []
    shown: dict[str, Any] = json.loads(programs.output(["terraform", here, "show", "-json", str(plan)])[1])
    resources = {
        change["address"]: change["change"]["actions"]
        for change in shown.get("resource_changes", [])
        if change["change"]["actions"] not in (["no-op"], ["read"])
    }
    outputs = {
        f"output.{name}": change["actions"]
        for name, change in shown.get("output_changes", {}).items()
        if change["actions"] != ["no-op"]
    }
    return [f"{address}: {'/'.join(actions)}" for address, actions in sorted({**resources, **outputs}.items())]


def check_same(found: list[str], approved: list[str]) -> None:
    """Checks that a plan is the one that was approved.

    Raises:
        DeliveryError: It is not. The text has the differences.
    """
    new, gone = sorted(set(found) - set(approved)), sorted(set(approved) - set(found))
    if new or gone:
        lines = [f"not approved: {line}" for line in new] + [
            f"approved, but no longer planned: {line}" for line in gone
        ]
        raise DeliveryError(
            "The plan is not the one that was approved, because the account has changed since. Nothing was applied; "
            "run the workflow again.\n" + "\n".join(lines)
        )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.plan", description=__doc__)
    made.add_argument("--environment", required=True, help="dev or prod, as in environments/<environment>.tfvars")
    made.add_argument("--terraform", type=Path, default=TERRAFORM, help="the root, initialized (default: %(default)s)")
    made.add_argument("--plan", type=Path, required=True, help="file for the plan; it may hold secrets")
    made.add_argument(
        "--no-lock", action="store_true", help="for a plan that is not applied, by a role that only reads"
    )
    made.add_argument("--changes", type=Path, help="file for the list")
    made.add_argument("--expect", type=Path, help="list that was approved")
    return made


def main(given: argparse.Namespace) -> None:
    """Plans."""
    found = changes(given.terraform, given.environment, given.plan.resolve(), lock=not given.no_lock)
    print("\n".join(found) or "no changes")
    if given.changes:
        given.changes.write_text(json.dumps(found, indent=1) + "\n")
    if given.expect:
        check_same(found, json.loads(given.expect.read_text()))


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
