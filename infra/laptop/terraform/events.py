"""Reads what ``terraform plan|apply|destroy -json`` prints: one JSON document a line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

ROOT_MODULE = "root"
_UNCHANGED = ("noop", "read")


@dataclass
class Outcome:
    """What a command of Terraform did.

    Attributes:
        planned: Planned changes: the address of a resource -> create, update, replace, delete or move.
        modules: How many resources of each module are to change.
        started: Addresses of the resources on which work began.
        done: Addresses of the resources on which it succeeded.
        errors: Each error with the address of its resource.
        warnings: Each warning.
        noise: Lines that were no JSON: a warning about Terraform's own settings, or a crash.
        code: The exit code.
    """

    planned: dict[str, str] = field(default_factory=dict)
    modules: Counter[str] = field(default_factory=Counter)
    started: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    code: int = 0

    def problem(self) -> str:
        """The errors as one text."""
        return "\n\n".join(self.errors) or "\n".join(self.noise[-20:])


def read_events(lines: Iterable[str], report: Callable[[str], None]) -> Outcome:
    """Reads the lines of a command until it ends.

    Args:
        lines: Its output.
        report: Called with a line of progress for each resource that is done.
    """
    outcome = Outcome()
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            if line.strip():
                outcome.noise.append(line.rstrip())
            continue
        _read(event, outcome, report)
    return outcome


def _read(event: dict[str, Any], outcome: Outcome, report: Callable[[str], None]) -> None:
    match event.get("type"):
        case "planned_change":
            change = event["change"]
            if change["action"] not in _UNCHANGED:
                outcome.planned[change["resource"]["addr"]] = change["action"]
                outcome.modules[module_of(change["resource"])] += 1
        case "apply_start" | "apply_complete" if event["hook"].get("action") == "read":
            pass  # a data source
        case "apply_start":
            outcome.started.append(event["hook"]["resource"]["addr"])
        case "apply_complete":
            outcome.done.append(event["hook"]["resource"]["addr"])
            report(f"{len(outcome.done)} of {len(outcome.planned)}  {event['hook']['resource']['addr']}")
        case "diagnostic":
            (outcome.errors if event["diagnostic"]["severity"] == "error" else outcome.warnings).append(
                _diagnostic(event["diagnostic"])
            )
        case _:
            pass


def module_of(resource: dict[str, Any]) -> str:
    """The name of the module of the root that a resource is in."""
    path = resource["module"]
    return path.split(".")[1].split("[")[0] if path else ROOT_MODULE


def _diagnostic(found: dict[str, Any]) -> str:
    place = found.get("range") or {}
    where = f" ({place['filename']}:{place['start']['line']})" if place else ""
    address = f"{found['address']}: " if found.get("address") else ""
    detail = f"\n{found['detail']}" if found.get("detail") else ""
    return f"{address}{found['summary']}{where}{detail}"
