"""Compares an account with Terraform: a plan that must be empty.

Differences are listed in a GitHub issue, one for each environment: a new one, or a comment to the open one. The exit
code is then 1. Without ``--repository`` no issue is written.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from infra.delivery import command, programs
from infra.delivery.command import DeliveryError
from infra.package.tree import ROOT

TERRAFORM = ROOT / "infra" / "terraform"
CHANGED = 2  # plan's exit code, with -detailed-exitcode
LISTED = 100


def differences(terraform: Path, environment: str) -> list[str]:
    """``address: actions`` of every resource that an apply would change. Plans without the state's lock."""
    here = f"-chdir={terraform}"
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder, "drift.tfplan")
        asked = ["-input=false", "-lock=false", "-detailed-exitcode", "-no-color", f"-out={plan}"]
        variables = f"-var-file=environments/{environment}.tfvars"
        code, _ = programs.output(["terraform", here, "plan", *asked, variables], codes=(0, CHANGED))
        if code != CHANGED:
            return []
        shown: dict[str, Any] = json.loads(programs.output(["terraform", here, "show", "-json", str(plan)])[1])
    changes = {
        change["address"]: change["change"]["actions"]
        for change in shown.get("resource_changes", [])
        if change["change"]["actions"] not in (["no-op"], ["read"])
    }
    outputs = {
        f"output.{name}": change["actions"]
        for name, change in shown.get("output_changes", {}).items()
        if change["actions"] != ["no-op"]
    }
    return [f"{address}: {'/'.join(actions)}" for address, actions in sorted({**changes, **outputs}.items())]


def report(repository: str, environment: str, found: list[str], link: str) -> None:
    """Writes the differences to the environment's open issue, or to a new one."""
    title = f"Drift in {environment}"
    listed = "\n".join(f"- `{line}`" for line in found[:LISTED])
    more = f"\n- and {len(found) - LISTED} more" if len(found) > LISTED else ""
    body = f"Terraform would change {len(found)} resources of {environment}:\n\n{listed}{more}\n\n{link}\n"
    fields = ["--repo", repository, "--state", "open", "--search", f"in:title {title}", "--json", "number,title"]
    known = json.loads(programs.output(["gh", "issue", "list", *fields])[1])
    number = next((issue["number"] for issue in known if issue["title"] == title), None)
    written = (
        ["gh", "issue", "create", "--repo", repository, "--title", title, "--body-file", "-"]
        if number is None
        else ["gh", "issue", "comment", str(number), "--repo", repository, "--body-file", "-"]
    )
    programs.run(written, given=body)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.drift", description=__doc__)
    made.add_argument("--environment", required=True, help="dev or prod, as in environments/<environment>.tfvars")
    made.add_argument("--terraform", type=Path, default=TERRAFORM, help="the root, initialized (default: %(default)s)")
    made.add_argument("--repository", help="<owner>/<name>: write an issue there")
    made.add_argument("--link", default="", help="URL of the run, for the issue")
    return made


def main(given: argparse.Namespace) -> None:
    """Looks for drift."""
    found = differences(given.terraform, given.environment)
    if not found:
        print(f"{given.environment} is as Terraform describes it")
        return
    if given.repository:
        report(given.repository, given.environment, found, given.link)
    raise DeliveryError(
        f"Terraform would change {len(found)} resources of {given.environment}:\n" + "\n".join(found) + "\nApply "
        "Terraform, or write what was changed by hand into it."
    )


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
