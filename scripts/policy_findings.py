"""Runs parliament and cloudsplaining on policy documents. Runs in the scan environment, which has both.

Reads ``{name: document}`` as JSON from stdin, and writes ``[{document, finding, subject}]`` to stdout.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from cloudsplaining.scan.policy_document import PolicyDocument
from parliament import analyze_policy_string

# What cloudsplaining says of a document: the actions with each problem, or none.
PROBLEMS = (
    "allows_data_exfiltration_actions",
    "allows_privilege_escalation",
    "contains_statement_using_not_action",
    "credentials_exposure",
    "infrastructure_modification",
    "permissions_management_without_constraints",
    "service_wildcard",
    "tagging_actions_without_constraints",
    "write_actions_without_constraints",
)


def findings(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The kind and the subject of each finding in a document."""
    for found in analyze_policy_string(json.dumps(document)).findings:
        for subject in found.detail if isinstance(found.detail, list) else [found.detail]:
            yield found.issue, str(subject)
    splained = PolicyDocument(document)
    for problem in PROBLEMS:
        for subject in getattr(splained, problem):
            yield problem, str(subject)


def main() -> None:
    """Prints the findings of all documents."""
    documents = json.load(sys.stdin)
    found = [
        {"document": name, "finding": kind, "subject": subject}
        for name, document in documents.items()
        for kind, subject in findings(document)
    ]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
