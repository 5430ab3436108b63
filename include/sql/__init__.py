"""Athena SQL (Trino's dialect), made from a workload. Pure functions: no I/O, no settings."""

from __future__ import annotations

from include.sql.counts import day_counts_query
from include.sql.dataset import dataset_digest_query, dataset_query, dataset_select
from include.sql.splits import split_bounds, split_rule

__all__ = ["dataset_digest_query", "dataset_query", "dataset_select", "day_counts_query", "split_bounds", "split_rule"]
