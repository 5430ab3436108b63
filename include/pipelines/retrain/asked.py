"""What a retrain run is asked for, by its Params and by how it was started."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from include.pipelines.cost.ledger import Charges
from include.pipelines.retrain.tuning import trials_of
from include.pipelines.rundate import RunTimes
from include.settings import Settings
from include.workloads import Workload


class Asked(TypedDict):
    """Arguments of :func:`include.pipelines.retrain.prepare.prepare`."""

    is_backfill: bool
    fresh: bool
    trials: int


def is_backfilled(run: RunTimes, params: Mapping[str, Any]) -> bool:
    """Whether a run belongs to a backfill: one of Airflow's, or one that says so by its Param ``backfilled``."""
    return run.run_type == "backfill" or bool(params["backfilled"])


def asked_of(
    workload: Workload,
    run: RunTimes,
    params: Mapping[str, Any],
    settings: Settings,
    charges: Charges,
    present: datetime,
) -> Asked:
    """Returns what a run is asked for.

    Raises:
        UserError: A person asked for more trials than there may be.
    """
    backfill = is_backfilled(run, params)
    trials = trials_of(workload, params, settings, charges, present)
    return {"is_backfill": backfill, "fresh": params["fresh"], "trials": trials}
