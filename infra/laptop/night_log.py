"""What came of each night, in ``nights.jsonl`` of the run folder: one line a night that a command made."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from infra.laptop.config import LaptopConfig


@dataclass(frozen=True)
class NightRecord:
    """One night of a workload.

    Attributes:
        seconds: From the replay to the end of the deploy.
        outcome: What came of it, or the reason of its refusal or failure.
        status: ``done``, ``refused`` (by a rule, such as the gate of a day) or ``failed``.
        version: The model version that was registered.
        decision: ``promoted`` or ``refused``.
        auc: The candidate's, on its test set.
        champion_auc: The champion's, on the same.
        reason: Why the version was promoted or not.
        ended: When, in ISO 8601.
    """

    workload: str
    day: date
    seconds: float
    outcome: str
    status: str = "done"
    version: int | None = None
    decision: str | None = None
    auc: float | None = None
    champion_auc: float | None = None
    reason: str | None = None
    ended: str | None = None


def registered(package: dict[str, Any] | None) -> dict[str, Any]:
    """The fields of a record that the night's model package says; none without a package."""
    if package is None:
        return {}
    metadata = package.get("CustomerMetadataProperties", {})
    auc, difference = _number(metadata.get("auc")), _number(metadata.get("auc_difference"))
    champion = round(auc - difference, 6) if auc is not None and difference is not None else None
    return {
        "version": package["ModelPackageVersion"],
        "decision": metadata.get("decision"),
        "auc": auc,
        "champion_auc": champion,
        "reason": package.get("ApprovalDescription"),
    }


def append(config: LaptopConfig, record: NightRecord) -> None:
    """Adds a night. One that is made again replaces its earlier line when the log is read."""
    with _file(config).open("a") as file:
        file.write(json.dumps(dataclasses.asdict(record), default=str) + "\n")


def read(config: LaptopConfig) -> dict[str, list[NightRecord]]:
    """The nights of each workload, in order of their days."""
    lines = _file(config).read_text().splitlines() if _file(config).is_file() else []
    newest = {(entry["workload"], entry["day"]): _record(entry) for entry in _entries(lines)}
    found: dict[str, list[NightRecord]] = {}
    for _, record in sorted(newest.items()):
        found.setdefault(record.workload, []).append(record)
    return found


def _file(config: LaptopConfig) -> Path:
    return config.state / "nights.jsonl"


def _entries(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # a command was killed while it wrote
            continue


def _record(entry: dict[str, Any]) -> NightRecord:
    return NightRecord(**{**entry, "day": date.fromisoformat(entry["day"])})


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:  # "none": there was no champion
        return None
