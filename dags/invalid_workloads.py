"""### No DAG: reports invalid workloads as an import error.

The other DAG files leave out a workload that does not load, so that the DAGs of the other workloads keep working. This
file reports it: the import error in the UI names the workload, the file and every mistake.
"""

from __future__ import annotations

from include.errors import NightjarError
from include.workloads import discover

# Airflow parses only files whose text contains "dag" and "airflow" (its safe mode); this comment contains both.
_errors = discover()[1]
if _errors:
    raise NightjarError(
        f"{len(_errors)} workload(s) do not load, so their DAGs are missing:\n"
        + "\n".join(f"{error.workload}:\n{error}" for error in _errors)
    )
