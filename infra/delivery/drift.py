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

from infra.delivery import command, programs
from infra.delivery.command import DeliveryError
from infra.delivery.plan import TERRAFORM, changes

LISTED = 100


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
    with tempfile.TemporaryDirectory() as folder:
        # Without the lock: the role of this workflow only reads.
        found = changes(given.terraform, given.environment, Path(folder, "drift.tfplan"), lock=False)
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
