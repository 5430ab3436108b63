"""Why a run failed, as its failed tasks recorded it (``nightjar.failures``)."""

from __future__ import annotations

from urllib.parse import quote

from infra.airflow_api.client import AirflowApi
from infra.airflow_api.errors import AirflowRefusedError

KEY = "failure"  # nightjar.failures.FAILURE_KEY
REFUSED = "AirflowFailException: "  # how a task ends that fails by a rule, and is not tried again


def refusal(api: AirflowApi, dag_id: str, run_id: str) -> str | None:
    """Returns why a rule ended the run; None if its first failure is of another kind, such as a killed process."""
    failed = [task for task in api.tasks(dag_id, run_id) if task["state"] == "failed"]
    if not failed:
        return None
    first = min(failed, key=lambda task: task["end_date"] or "")
    path = f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances/{first['task_id']}/xcomEntries/{KEY}"
    try:
        entry = api.call("GET", path, params={"map_index": first["map_index"]})
    except AirflowRefusedError:  # nothing was recorded
        return None
    reason = str(entry["value"]["reason"])
    return reason.removeprefix(REFUSED) if reason.startswith(REFUSED) else None
