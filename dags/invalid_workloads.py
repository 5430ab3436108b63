"""### No DAG: the import error that names every workload which does not load

The other DAG files leave a broken workload out, so that it takes no other workload's DAGs with it. This file makes it seen.
"""

from __future__ import annotations

from include.workloads import discover

# "dag" and "airflow" in this line are what makes Airflow's safe mode parse a file that imports nothing of it.
_errors = discover()[1]
if _errors:
    raise ValueError(
        f"{len(_errors)} workload(s) do not load, so their DAGs are missing:\n"
        + "\n".join(f"{error.workload}:\n{error}" for error in _errors)
    )
