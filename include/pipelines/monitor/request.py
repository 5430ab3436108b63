"""Asks for a retrain run when drift is confirmed: only where it is declared, at most once a day for a workload."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, TypedDict

from include.errors import NothingToDoError
from include.lake import state_keys
from include.lake.days import utc_date
from include.lake.instants import parse_instant
from include.pipelines.protocols import StateStore
from include.workloads import Workload


class RetrainRun(TypedDict):
    """The run that is triggered: its id, and its Params."""

    run_id: str
    conf: dict[str, Any]


def request_retrain(
    workload: Workload, window_end: str, newest_day: str, confirmed: Mapping[str, str], state: StateStore
) -> RetrainRun:
    """Returns the retrain run to trigger. Repeating the call for the same window returns the same run.

    Args:
        workload: The workload.
        window_end: The end of the run's window (ISO 8601 UTC), whose date is the day of the request.
        newest_day: The newest published day, which the model is trained for.
        confirmed: Subject → why it drifted.
        state: The state table.

    Raises:
        NothingToDoError: No drift is confirmed, the workload does not want it, or a run was asked for on this day.
    """
    if not confirmed:
        raise NothingToDoError("No drift is confirmed: no retrain run is asked for.")
    if not workload.monitor.retrain_on_drift:
        raise NothingToDoError(
            "Drift is confirmed, but monitor.retrain_on_drift in workload.yaml is not set: no retrain run is asked for."
        )
    asked_on: date = utc_date(parse_instant(window_end))
    run: RetrainRun = {"run_id": f"drift-{newest_day}-asked-{asked_on}", "conf": {"date": newest_day}}
    item = {
        "asked_on": asked_on.isoformat(),
        "window_end": window_end,
        "run_id": run["run_id"],
        "day": newest_day,
        "reason": "; ".join(f"{subject}: {reason}" for subject, reason in confirmed.items())[:1000],
    }
    key, names = state_keys.retrain_request_key(workload.name), {"#asked": "asked_on"}
    stored = state.get(*key)
    if stored is None:
        written = state.put_if(*key, item, "attribute_not_exists(#asked)", None, names)
    else:
        if stored["window_end"] == window_end and stored["run_id"] == run["run_id"]:
            return run
        older = stored["asked_on"] < item["asked_on"]
        written = older and state.put_if(*key, item, "#asked = :read", {":read": stored["asked_on"]}, names)
    if written:
        return run
    raise NothingToDoError(f"A retrain run was asked for today already ({workload.name}, {asked_on}): no other one is.")
