"""Which versions the deploy DAG is told of."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from nightjar.operators.announce import AnnounceVersionOperator

PACKAGE = {"version": 4, "status": "Approved", "reasons": "better", "deployable": True}


def test_a_deployable_version_is_told() -> None:
    assert AnnounceVersionOperator(task_id="announce", package=PACKAGE).execute({}) == 4


def test_any_other_is_not_and_the_reason_is_shown() -> None:
    package = {**PACKAGE, "status": "Rejected", "reasons": "auc 0.5 is below the bar", "deployable": False}
    with pytest.raises(AirflowSkipException, match=r"Version 4 is Rejected.*below the bar"):
        AnnounceVersionOperator(task_id="announce", package=package).execute({})
