"""A small workload with one of each part, written to a folder, and ways to break it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.workloads import Workload, WorkloadError, load

DOCUMENT: dict[str, Any] = {
    "description": "Will an offer be liked?",
    "owner": "tests",
    "clock": "recorded_at",
    "stream": {"name": "nightjar-shop"},
    "events": {
        "offered": {
            "role": "features",
            "schema": {
                "item": {"type": "string"},
                "price": {"type": "number", "min": 0, "max": 1000},
                "stock": {"type": "integer", "nullable": True},
                "fresh": {"type": "boolean", "nullable": True},
                "made": {"type": "timestamp", "nullable": True},
            },
        },
        "rated": {"role": "label", "schema": {"stars": {"type": "integer", "nullable": True, "enum": [1, 2, 3, 4, 5]}}},
    },
    "database": {"secret": "nightjar/shop/database"},
    "tables": {
        "makers": {
            "key": ["item"],
            "valid_from": "since",
            "watermark": "updated_at",
            "schema": {
                "item": {"type": "string"},
                "since": {"type": "timestamp"},
                "updated_at": {"type": "timestamp"},
                "name": {"type": "string"},
            },
        }
    },
    "joins": [{"table": "makers", "on": {"item": "item"}, "lead": "PT1H", "prefix": "maker_", "fields": ["name"]}],
    "label": {"event": "rated", "expression": "stars >= 4"},
    "expectations": "expectations.yaml",
    "dataset": {"train_days": 3, "validation_days": 1, "test_days": 1, "minimum_rows": 1},
    "model": {
        "kind": "hist_gradient_boosting",
        "hyperparameters": {"max_iter": 10},
        "seed": 1,
        "max_runtime_seconds": 600,
    },
    "quality": {
        "metric": "auc",
        "bar": 0.5,
        "margin": 0.01,
        "slices": [{"field": "item", "margin": 0.1, "minimum": 10}],
        "bootstrap": 100,
    },
    "approval": "automatic",
    "serving": {"desired_count": 1, "cpu": 256, "memory": 512},
}

FEATURES = '''\
"""Features of an offer."""

FEATURES = {"price": "number", "item": "category", "maker": "category"}


def features(record):
    if record["price"] == 666:
        raise ArithmeticError("no such price")
    return {"price": record["price"] / 2, "item": record["item"], "maker": record["maker_name"]}
'''

EXPECTATIONS: dict[str, Any] = {
    "offered": {
        "rows": {"min": 1, "max": 1000},
        "quarantine": 0.25,
        "expectations": [
            {"type": "expect_column_values_to_not_be_null", "column": "item", "mostly": 0.95, "severity": "critical"},
            {
                "type": "expect_column_mean_to_be_between",
                "column": "price",
                "min_value": 0,
                "max_value": 100,
                "severity": "warning",
            },
        ],
    },
    "rated": {"quarantine": 0.25},
}


def document(**changes: Any) -> dict[str, Any]:
    """A copy of DOCUMENT. ``changes``: dotted path (``__`` for the dot) → value; the value ``...`` deletes the key."""
    result = copy.deepcopy(DOCUMENT)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place: Any = result
        for parent in parents:
            place = place[int(parent) if parent.isdigit() else parent]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return result


def write_workload(
    root: Path,
    name: str = "shop",
    workload: dict[str, Any] | str = DOCUMENT,
    features: str = FEATURES,
    expectations: dict[str, Any] = EXPECTATIONS,
) -> Path:
    """The folder of a workload below ``root``; the stream is named after it, unless the document names another."""
    if isinstance(workload, dict) and workload.get("stream") == DOCUMENT["stream"]:
        workload = {**workload, "stream": {"name": f"nightjar-{name}"}}
    folder = root / name
    folder.mkdir(parents=True)
    text = workload if isinstance(workload, str) else yaml.safe_dump(workload, sort_keys=False)
    (folder / "workload.yaml").write_text(text)
    (folder / "features.py").write_text(features)
    (folder / "expectations.yaml").write_text(yaml.safe_dump(expectations))
    return folder


def tiny_workload(root: Path, **changes: Any) -> Workload:
    """The workload, loaded."""
    write_workload(root, workload=document(**changes))
    return load("shop", root)


def refusal(root: Path, **parts: Any) -> str:
    """The text of the error that a folder made of ``parts`` raises, with paths relative to ``root``."""
    write_workload(root, **parts)
    with pytest.raises(WorkloadError) as caught:
        load("shop", root)
    return str(caught.value).replace(f"{root}/", "")
