"""``python -m scripts.scan_policies``: parliament and cloudsplaining on the policies of all roles, filled in.

A finding is an error unless ``infra/scan/policies.yaml`` explains it. So is an explanation without a finding.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
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
    argv = [HOME / "venvs" / "scan" / "bin" / "python", "-W", "ignore", ROOT / "scripts" / "policy_findings.py"]
    done = subprocess.run(argv, input=json.dumps(policies), stdout=subprocess.PIPE, text=True, check=True)
    found: list[Finding] = json.loads(done.stdout)
    return found


def problems(found: Iterable[Finding], explained: Iterable[Finding]) -> list[str]:
    """The findings without an explanation, and the explanations without a finding."""
    known = {(entry["finding"], entry["subject"]) for entry in explained if entry["reason"]}
    seen = {(one["finding"], one["subject"]): one["document"] for one in found}
    lines = [
        f"infra/policies/{document}.json: {finding}: {subject}. Mend it, or explain it in {EXPLAINED.name}."
        for (finding, subject), document in seen.items()
        if (finding, subject) not in known
    ]
    return lines + [
        f"{EXPLAINED.name}: {finding}: {subject} is not found any more. Delete its explanation."
        for finding, subject in known - seen.keys()
    ]


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
