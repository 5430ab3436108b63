"""The members of a request: one tree of dicts and lists, whatever the protocol."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

_INDEX = re.compile(r"\d+")
_WRAPPERS = ("member", "entry")
Members = Mapping[str, Any]


def of_json(body: bytes) -> dict[str, Any]:
    """The members of a JSON body; empty if it is no JSON object (the service then refuses it)."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def of_form(text: str) -> dict[str, Any]:
    """The members of a form: ``Tags.member.1.Key=a`` is ``{"Tags": [{"Key": "a"}]}``.

    The first of equal names counts, as in moto.
    """
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        node = tree
        parts = [part for part in name.split(".") if part not in _WRAPPERS]
        for part in parts[:-1]:
            child = node.setdefault(part, {})
            if not isinstance(child, dict):
                break
            node = child
        else:
            if parts:
                node.setdefault(parts[-1], value)
    return {name: _lists(value) for name, value in tree.items()}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    values = {name: _lists(value) for name, value in node.items()}
    if values and all(_INDEX.fullmatch(name) for name in values):
        return [values[name] for name in sorted(values, key=int)]
    return values


def texts(members: Members, path: str) -> list[str]:
    """The texts at a path.

    Args:
        members: The members of a request.
        path: Names with dots between them. ``name[]`` is each item of a list, ``*`` each value of a mapping, and
            ``name.{}`` each key of a mapping.
    """
    return [value for value in _walk(members, path.split(".")) if isinstance(value, str) and value]


def _walk(node: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield from node if isinstance(node, list) else [node]
        return
    name, rest = path[0], path[1:]
    if name == "{}":
        yield from node if isinstance(node, dict) else ()
    elif name == "*":
        for value in node.values() if isinstance(node, dict) else ():
            yield from _walk(value, rest)
    elif name.endswith("[]"):
        items = node.get(name[:-2]) if isinstance(node, dict) else None
        for item in items if isinstance(items, list) else ():
            yield from _walk(item, rest)
    elif isinstance(node, dict) and name in node:
        yield from _walk(node[name], rest)


def scalars(members: Members, path: str) -> list[str]:
    """Like :func:`texts`, with numbers and truth values as text."""
    values = _walk(members, path.split("."))
    return [
        str(value).lower() if isinstance(value, bool) else str(value)
        for value in values
        if isinstance(value, str | int | float) and value != ""
    ]
