"""The names of the stack's processes, which ``make logs`` and ``make restart`` take as WHAT=."""

from __future__ import annotations

import difflib
import sys

from infra.laptop.config import LaptopError

POSTGRES, CLOUD = "postgres", "cloud"
API, SCHEDULER = "airflow-api-server", "airflow-scheduler"
DAG_PROCESSOR, TRIGGERER = "airflow-dag-processor", "airflow-triggerer"
AIRFLOW = (API, SCHEDULER, DAG_PROCESSOR, TRIGGERER)
ALL = (POSTGRES, CLOUD, *AIRFLOW)
TRACKING = "mlflow"
ZYGOTE = "airflow-zygote"  # it has imported Airflow, and forks the four
OPTIONAL = (ZYGOTE, TRACKING)  # a stack may do without these


def short(name: str) -> str:
    """The name without ``airflow-``, as commands take and show it."""
    return name.removeprefix("airflow-")


def find(what: str) -> tuple[str, ...]:
    """The names of the processes that ``what`` means: one process, or ``airflow`` for all of its.

    Raises:
        LaptopError: There is no such process.
    """
    if what == "airflow":
        return (ZYGOTE, *AIRFLOW) if sys.platform == "linux" else AIRFLOW
    for name in (*ALL, *OPTIONAL):
        if what in (name, short(name)):
            return (name,)
    known = ["airflow", *map(short, (*ALL, *OPTIONAL))]
    near = difflib.get_close_matches(what, known, n=1)
    hint = f" Did you mean WHAT={near[0]}?" if near else ""
    raise LaptopError(f"WHAT={what}: the stack has no such process.{hint} It has: {', '.join(known)}.")
