"""Workloads: one folder each, with workload.yaml, features.py and the expectations.

Light to import, because Airflow imports it whenever it parses a DAG file.
"""

from __future__ import annotations

from include.workloads.declaration import Workload
from include.workloads.errors import WorkloadError, WorkloadProblem
from include.workloads.fields import FieldSpec, check_record
from include.workloads.loader import discover, load

__all__ = ["FieldSpec", "Workload", "WorkloadError", "WorkloadProblem", "check_record", "discover", "load"]
