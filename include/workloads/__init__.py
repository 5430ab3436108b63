"""Workloads: one folder each, described by workload.yaml and features.py. Light to import: Airflow does at every parse."""

from __future__ import annotations

from include.workloads.errors import Problem, WorkloadError
from include.workloads.fields import FieldSpec, check_record
from include.workloads.loader import discover, load
from include.workloads.declaration import Workload

__all__ = ["FieldSpec", "Problem", "Workload", "WorkloadError", "check_record", "discover", "load"]
