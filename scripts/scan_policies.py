"""``python -m scripts.scan_policies``: parliament and cloudsplaining on the policies of all roles, filled in.

A finding is an error unless ``infra/scan/policies.yaml`` explains it. So is an explanation without a finding.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import yaml

from infra.laptop.iam.grants import kinds
from scripts.steps import HOME, ROOT

EXPLAINED = ROOT / "infra" / "scan" / "policies.yaml"
Finding = Mapping[str, str]


def documents() -> dict[str, dict[str, Any]]:
    """The permission documents of every role by ``<role>/<document>``."""
    return {f"{kind.name}/{name}": text for kind in kinds() for name, text in kind.documents("workload").items()}


def scan(policies: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """The findings in documents.

    Raises:
        subprocess.CalledProcessError: A scanner failed.
    """
    python, script = HOME / "venvs" / "scan" / "bin" / "python", ROOT / "scripts" / "policy_findings.py"
    argv = [str(python), "-W", "ignore", str(script)]
    done = subprocess.run(argv, input=json.dumps(policies), stdout=subprocess.PIPE, text=True, check=True)
    found: list[Finding] = json.loads(done.stdout)
    return found


def problems(found: Iterable[Finding], explained: Iterable[Finding]) -> list[str]:
    """The findings without an explanation, and the explanations without a finding."""
    reasons = [entry for entry in explained if entry["reason"]]
    needed: set[int] = set()
    lines = []
    for one in found:
        number = next((number for number, entry in enumerate(reasons) if _explains(entry, one)), None)
        if number is None:
            where = f"infra/policies/{one['document']}.json: {one['finding']}: {one['subject']}"
            lines.append(f"{where}. Mend it, or explain it in {EXPLAINED.relative_to(ROOT)}.")
        else:
            needed.add(number)
    return lines + [
        f"{EXPLAINED.name}: {entry['finding']}: {entry['subject']} is not found any more. Delete its explanation."
        for number, entry in enumerate(reasons)
        if number not in needed
    ]


def _explains(entry: Finding, found: Finding) -> bool:
    """Whether an explanation is for a finding; its document and its subject may be patterns."""
    return (
        entry["finding"] == found["finding"]
        and fnmatchcase(found["document"], entry.get("document", "*"))
        and fnmatchcase(found["subject"], entry["subject"])
    )


def main() -> int:
    """Prints what is wrong.

    Returns:
        1 when anything is, else 0.
    """
    policies = documents()
    wrong = problems(scan(policies), yaml.safe_load(EXPLAINED.read_text()))
    print("\n".join(wrong) or f"{len(policies)} documents without an unexplained finding")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
