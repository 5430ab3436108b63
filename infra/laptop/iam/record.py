"""The record of a run: which role was allowed or denied which action on which resource.

The suites that use the roles write it (``tests/support/iam_records.py``), ``make iam`` reads it.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.laptop.config import ROOT, LaptopConfig, LaptopError
from infra.localcloud.authorization import usage

FOLDER = "iam"
# The suite that makes each record.
SUITES = {
    "usage": "tests/e2e",
    "lambdas": "tests/lambdas",
    "terraform": "tests/terraform/test_delivery_roles.py",
}
_FORM = 1


@dataclass(frozen=True, order=True)
class Call:
    """An action on a resource that a role asked for.

    Attributes:
        role: The role's name, for example ``nightjar-glue``.
    """

    role: str
    action: str
    resource: str


@dataclass(frozen=True)
class Provoked:
    """A test has taken an action from a role for a while. Its denials in that time are wanted.

    Attributes:
        role: The role's name.
        since: Time of the first moment, as the request log writes times.
        until: Time of the last moment.
    """

    role: str
    action: str
    since: str
    until: str

    def covers(self, line: Mapping[str, Any], action: str) -> bool:
        """Whether the test caused the denial that a line of the request log records."""
        role = str(line["role"]).rsplit("/", 1)[-1]
        return (role, action) == (self.role, self.action) and self.since <= str(line["time"]) <= self.until


@dataclass(frozen=True)
class Record:
    """What was recorded, and by which run.

    Attributes:
        suite: The tests that ran.
        commit: The commit; it ends with ``-dirty`` when files differed from it.
        time: The end of the run, ISO 8601.
        tests: How many tests had each outcome.
        incomplete: Why the run does not count as a whole suite; empty when it does.
        policies: Digest of the policies of the run.
        allowed: How often each call was allowed.
        denied: How often each call was denied.
    """

    suite: str
    commit: str
    time: str
    tests: Mapping[str, int]
    incomplete: str
    policies: str
    allowed: Mapping[Call, int] = field(default_factory=dict)
    denied: Mapping[Call, int] = field(default_factory=dict)

    def save(self, file: Path) -> None:
        """Writes the record; a reader sees the old file or the new one."""
        document = {
            "form": _FORM,
            **vars(self),
            "allowed": _rows(self.allowed),
            "denied": _rows(self.denied),
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}.", delete=False) as partial:
            json.dump(document, partial, indent=0)
            partial.flush()
            os.fsync(partial.fileno())
        Path(partial.name).replace(file)


def path(config: LaptopConfig, name: str) -> Path:
    """The file of a record.

    Args:
        config: The laptop's settings.
        name: A key of :data:`SUITES`.
    """
    return config.home / FOLDER / f"{name}.json"


def commit() -> str:
    """The commit of the source tree; it ends with ``-dirty`` when files differ from it."""
    argv = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def load(file: Path) -> Record | None:
    """Reads a record; None when there is none.

    Raises:
        LaptopError: The file is not a record, or one of another version of this program.
    """
    try:
        document = json.loads(file.read_text())
        if document.pop("form") != _FORM:
            raise LaptopError(f"{file} was written by another version. Delete it, and record again.")
        allowed, denied = _calls(document.pop("allowed")), _calls(document.pop("denied"))
        return Record(**document, allowed=allowed, denied=denied)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LaptopError(f"{file} cannot be read: {error}. Delete it, and record again.") from error


def calls(lines: Iterable[Mapping[str, Any]], provoked: Iterable[Provoked] = ()) -> tuple[Counter[Call], Counter[Call]]:
    """Counts the calls of the project's roles in a request log.

    Args:
        lines: The lines of requests.jsonl.
        provoked: Denials that tests caused on purpose; they are left out.

    Returns:
        The allowed calls, and the denied ones.
    """
    wanted = tuple(provoked)
    allowed: Counter[Call] = Counter()
    denied: Counter[Call] = Counter()
    for line in lines:
        arn = str(line.get("role"))
        role = arn.rsplit("/", 1)[-1]
        if ":role/" not in arn or not role.startswith("nightjar-"):
            continue
        if line.get("decision") == "allow":
            allowed.update(Call(role, entry["action"], entry["resource"]) for entry in line.get("iam", []))
        for refusal in usage.compare([line], {arn: ()}).refused:
            if not any(test.covers(line, refusal.action) for test in wanted):
                denied[Call(role, refusal.action, refusal.resource)] += 1
    return allowed, denied


def _rows(counts: Mapping[Call, int]) -> list[list[str | int]]:
    return [[call.role, call.action, call.resource, times] for call, times in sorted(counts.items())]


def _calls(rows: list[list[Any]]) -> dict[Call, int]:
    return {Call(role, action, resource): times for role, action, resource, times in rows}
