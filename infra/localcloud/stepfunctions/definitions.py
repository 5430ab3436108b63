"""Checks the form of a definition in the Amazon States Language: fields, types of states, and where they lead.

Paths, intrinsic functions and JSONata expressions are not checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_INVALID_JSON, _SCHEMA, _MISSING = "INVALID_JSON_DESCRIPTION", "SCHEMA_VALIDATION_FAILED", "MISSING_TRANSITION_TARGET"
# The fields that a state of each type must have.
_TYPES: Mapping[str, tuple[str, ...]] = {
    "Task": ("Resource",),
    "Pass": (),
    "Choice": ("Choices",),
    "Wait": (),
    "Succeed": (),
    "Fail": (),
    "Parallel": ("Branches",),
    "Map": (),
}
_ENDS = ("Succeed", "Fail", "Choice")  # states without Next and End
_WAITS = ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")


@dataclass(frozen=True)
class Problem:
    """What is wrong in a definition, and where: a JSON path with slashes."""

    code: str
    message: str
    location: str


def problems(definition: str) -> list[Problem]:
    """Everything that is wrong in a definition."""
    try:
        machine = json.loads(definition)
    except ValueError as error:
        return [Problem(_INVALID_JSON, f"The definition is not JSON: {error}", "/")]
    return list(_machine(machine, ""))


def _machine(machine: Any, at: str) -> Iterator[Problem]:
    if not isinstance(machine, dict):
        yield Problem(_SCHEMA, "Expected value of type Object", at or "/")
        return
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        yield Problem(_SCHEMA, "The field 'States' must be an object with at least one state", f"{at}/States")
        return
    start = machine.get("StartAt")
    if start not in states:
        text = (
            "The field 'StartAt' must be present and name a state"
            if start is None
            else f"Missing 'StartAt' target: {start}"
        )
        yield Problem(_SCHEMA if start is None else _MISSING, text, f"{at}/StartAt")
    for name, state in states.items():
        yield from _state(state, states, f"{at}/States/{name}")


def _state(state: Any, states: Mapping[str, Any], at: str) -> Iterator[Problem]:
    kind = state.get("Type") if isinstance(state, dict) else None
    if not isinstance(kind, str) or kind not in _TYPES:
        yield Problem(_SCHEMA, f"The field 'Type' must be one of {', '.join(_TYPES)}", f"{at}/Type")
        return
    for field in _TYPES[kind]:
        if not state.get(field):
            yield Problem(_SCHEMA, f"These fields are required: [{field}]", at)
    if kind == "Wait" and sum(field in state for field in _WAITS) != 1:
        yield Problem(_SCHEMA, f"Exactly one of these fields is required: [{', '.join(_WAITS)}]", at)
    if kind not in _ENDS and ("Next" in state) == (state.get("End") is True):
        yield Problem(_SCHEMA, "Exactly one of the fields 'Next' and 'End' is required", at)
    for target, place in _targets(state, at):
        if target not in states:
            yield Problem(_MISSING, f"Missing 'Next' target: {target}", place)
    yield from _inner(state, kind, at)


def _targets(state: Mapping[str, Any], at: str) -> Iterator[tuple[str, str]]:
    for field in ("Next", "Default"):
        if field in state:
            yield state[field], f"{at}/{field}"
    for field in ("Choices", "Catch"):
        for number, entry in enumerate(state.get(field) or []):
            yield str(entry.get("Next")), f"{at}/{field}[{number}]/Next"


def _inner(state: Mapping[str, Any], kind: str, at: str) -> Iterator[Problem]:
    if kind == "Parallel":
        for number, branch in enumerate(state.get("Branches") or []):
            yield from _machine(branch, f"{at}/Branches[{number}]")
    if kind == "Map":
        field = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        yield from _machine(state.get(field), f"{at}/{field}")
