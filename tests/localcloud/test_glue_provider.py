"""Glue job runs through the Amazon provider's operator, hook and trigger, as the DAGs use them."""

from __future__ import annotations

import asyncio
import os
from typing import Any
from unittest.mock import MagicMock

import pytest

from tests.support.glue_runs import log_lines
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack


@pytest.fixture
def airflow_task(aws_environment: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``airflow_task(GlueJobOperator, **arguments)`` against the server."""
    os.environ.setdefault("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))

    def make(operator: type, **arguments: Any) -> Any:
        return operator(task_id="t", aws_conn_id=None, region_name="us-east-1", **arguments)

    return make


def test_the_operator_runs_a_job_and_shows_its_failure(glue_job: Any, airflow_task: Any, capsys: Any) -> None:
    from airflow.providers.amazon.aws.operators.glue import GlueJobOperator

    name = glue_job("bad.py")
    task = airflow_task(GlueJobOperator, job_name=name, job_poll_interval=0.2, verbose=True)
    with pytest.raises(Exception, match="Run State: FAILED"):
        task.execute({"ti": MagicMock(), "task": task})
    assert "KeyError: 'missing'" in capsys.readouterr().out


def test_the_hook_and_the_trigger_follow_a_run(cloud: Cloud, glue_job: Any, airflow_task: Any) -> None:
    from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
    from airflow.providers.amazon.aws.triggers.glue import GlueJobCompleteTrigger

    name = glue_job("ok.py")
    task = airflow_task(GlueJobOperator, job_name=name, script_args={"--a": "b"}, wait_for_completion=False)
    run = task.execute({"ti": MagicMock(), "task": task})
    trigger = GlueJobCompleteTrigger(
        name, run, waiter_delay=1, waiter_max_attempts=60, aws_conn_id=None, region_name="us-east-1"
    )

    async def first_event() -> Any:
        return await anext(aiter(trigger.run()))

    assert asyncio.run(first_event()).payload["status"] == "success"
    assert task.hook.get_job_state(name, run) == "SUCCEEDED"
    assert "'--a', 'b'" in log_lines(cloud, run)[0]
