"""Athena SQL (Trino's dialect) made from a workload: Jinja templates, and the functions that render them. No I/O."""

from __future__ import annotations

from include.sql.dataset import dataset_digest, dataset_select, dataset_unload
from include.sql.monitor import LogWindow, lake_counts, log_counts
from include.sql.splits import split_bounds, split_rule

__all__ = [
    "LogWindow",
    "dataset_digest",
    "dataset_select",
    "dataset_unload",
    "lake_counts",
    "log_counts",
    "split_bounds",
    "split_rule",
]
