"""The DAGs of the tests on a real Airflow: runs that end in every way, with jobs of the local cloud."""

from __future__ import annotations

from tests.support.localcloud import ACCOUNT

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"
DAGS = f"""
import os
import signal
import time
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param, task
from nightjar.active_runs import NoActiveRunsSensor
from nightjar.jobs import JobLedger, StopJobsOperator, submit_and_sense
from nightjar.jobs.sagemaker import SubmitTrainingJobOperator, TrainingJobs
from nightjar.jobs.sweep import JobSweep
from nightjar.links import add_pages, linked
from nightjar.notes import add_note
from nightjar.outcomes import outcomes
from nightjar.runs import dag_options
from nightjar.state.hook import StateHook
from nightjar.state.sensor import StateSensor
from nightjar.triggered_runs import run_state

from include.pipelines.cost import JobAccounts
from include.pipelines.monitor.reaper import watch_jobs

CONFIG = {{
    "AlgorithmSpecification": {{
        "TrainingImage": "job:1", "TrainingInputMode": "File", "ContainerEntrypoint": ["python", "job.py"]
    }},
    "RoleArn": "arn:aws:iam::{ACCOUNT}:role/training",
    "HyperParameters": {{"seconds": "900"}},
    "OutputDataConfig": {{"S3OutputPath": "s3://artifact/jobs/"}},
    "ResourceConfig": {{"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}},
    "StoppingCondition": {{"MaxRuntimeInSeconds": 900}},
}}
OPTIONS = dag_options("a", "b", "owner", "{TOPIC}")
PARAMS = {{"name": Param("", type="string")}}
with DAG("job", schedule=None, dagrun_timeout=timedelta(hours=1), params=PARAMS, **OPTIONS):
    submit, sense = submit_and_sense(
        "job", SubmitTrainingJobOperator, {{"poll_seconds": 1}}, sense_id="sense", submit_key="{{{{ params.name }}}}",
        config=CONFIG,
    )

    @task
    def last() -> None: ...

    sense >> last()
    sense >> StopJobsOperator(task_id="stop_jobs", jobs=[sense.job]).as_teardown()

with DAG("blocked", schedule=None, **OPTIONS):

    @task(pool="absent")
    def first() -> None: ...

    @task
    def last() -> None: ...

    first() >> [last(), StopJobsOperator(task_id="stop_jobs", jobs=[]).as_teardown()]

with DAG("after", schedule=None, **OPTIONS):
    NoActiveRunsSensor(task_id="wait_job", other_dag_id="job", advice="", deadline_seconds=600, poll_seconds=1)

with DAG("patient", schedule=None, **OPTIONS):
    free = NoActiveRunsSensor(
        task_id="wait_job", other_dag_id="job", ignored_tasks=("submit_job", "sense"), advice="", deadline_seconds=600
    )

    @task
    def refuse() -> None:
        with outcomes(fail=LookupError):
            raise LookupError("a fifth of the rows is empty")

    free >> refuse()

with DAG("idle", schedule=None, params={{"day": Param("", type="string")}}, **OPTIONS):

    @task
    def look(params=None) -> None:
        with outcomes(skip=LookupError, fail=ValueError):
            if params["day"] == "never":
                raise ValueError("never is no day")
            raise LookupError("there is nothing to do today")

    look()

with DAG("pages", schedule=None, **OPTIONS):

    @task
    def decide() -> None:
        add_pages({{"Decision": "s3://nj-artifact/decisions/w/k.json"}})

    linked(decide(), "Decision", "Evaluation")

ONCE = {{"retries": 0}}
LEDGER = JobLedger("state", JobAccounts("left"))
LEFT = {{**PARAMS, "die": Param(False, type="boolean")}}
with DAG("left", schedule=None, dagrun_timeout=timedelta(hours=1), params=LEFT, **OPTIONS):
    submit = SubmitTrainingJobOperator(
        task_id="submit_job", submit_key="{{{{ params.name }}}}", config=CONFIG, ledger=LEDGER
    )

    @task(**ONCE)
    def work(params=None) -> None:
        if params["die"]:
            os.kill(os.getpid(), signal.SIGKILL)

    @task(pool="absent")
    def hold() -> None: ...

    submit >> work() >> hold()

with DAG("reap", schedule=None, **OPTIONS):

    @task
    def watch() -> None:
        sweep = JobSweep(LEDGER, [TrainingJobs("nj-")])
        found = watch_jobs("left", sweep, StateHook("state"), run_state, datetime.now(UTC), timedelta(0))
        add_note("\\n".join(found.lines))

    watch()

with DAG("flaky", schedule=None, **OPTIONS):

    @task(retries=1, retry_delay=timedelta(seconds=1))
    def read(ti=None) -> None:
        if ti.try_number == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    read()

with DAG("broken", schedule=None, **OPTIONS):

    @task(**ONCE)
    def read(shard: int) -> None:
        raise ValueError(f"shard {{shard}} is gone")

    @task(execution_timeout=timedelta(seconds=1), **ONCE)
    def slow() -> None:
        time.sleep(60)

    @task(**ONCE)
    def killed() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @task
    def after() -> None: ...

    late = StateSensor(
        task_id="late", table="state", keys=[("day", "1")], check=lambda items: None, unmet="Day 1 was not published",
        advice="Look at the process DAG.", deadline_seconds=1, poll_seconds=1, **ONCE,
    )
    [read.expand(shard=[1, 2]), slow(), killed(), late] >> after()
"""
