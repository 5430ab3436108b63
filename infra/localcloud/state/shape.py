"""The versions of the stored state: of its tables, of moto's classes, and of our own classes."""

from __future__ import annotations

import dis
import hashlib
import importlib
import json

import moto

from infra.localcloud.state import rules


def versions() -> dict[str, str]:
    """What must be equal for stored state to be read."""
    return {"schema": str(rules.SCHEMA), "moto": moto.__version__, "shape": _shape()}


def _shape() -> str:
    """A digest of the attributes of our stored classes."""
    classes = {
        f"{name}:{kind.__qualname__}": sorted(_attributes(kind))
        for name in rules.STORED_MODULES
        for kind in vars(importlib.import_module(name)).values()
        if isinstance(kind, type) and kind.__module__ == name
    }
    return hashlib.sha256(json.dumps(classes, sort_keys=True).encode()).hexdigest()[:12]


def _attributes(kind: type) -> set[str]:
    """The declared attributes of a class and those that its ``__init__`` sets."""
    found = set(vars(kind).get("__annotations__", ()))
    for method in ("__init__", "init_shards"):
        code = getattr(vars(kind).get(method), "__code__", None)
        if code is not None:
            found |= {step.argval for step in dis.get_instructions(code) if step.opname == "STORE_ATTR"}
    return found - set(getattr(kind, "RUNTIME", ()))
