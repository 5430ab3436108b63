"""What the ledger says that jobs have cost, against a sum by hand from what the local cloud says of each of them.

The jobs really run: Glue runs, queries, training and processing jobs; some fail and are followed by the next attempt,
one is adopted, one is stopped, and of one no sensor sees the end. The prices of the sum are written here, so a wrong
price, unit or minimum in the product makes the two differ.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from nightjar.jobs import JobLedger, JobSensor, StopJobsOperator
from nightjar.jobs.athena import AthenaQueries, SubmitAthenaQueryOperator
from nightjar.jobs.glue import GlueRuns, SubmitGlueJobOperator
from nightjar.jobs.sagemaker import (
    ProcessingJobs,
    SubmitProcessingJobOperator,
    SubmitTrainingJobOperator,
    TrainingJobs,
)
from nightjar.jobs.sweep import JobSweep
from nightjar.state.hook import StateHook

from include.pipelines.cost.ledger import JobAccounts, charges, total
from tests.support.job_clouds import KilledTaskInstance, TaskInstance, context, fire
from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.state_table import create_state_table

pytestmark = pytest.mark.stack
SHOP, TODAY = JobAccounts("shop"), datetime.now(UTC).date()
DAYS = (TODAY - timedelta(days=1), TODAY + timedelta(days=1))
ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
# ml.m5.large has 2 of the 4 CPUs of ml.m5.xlarge, for $0.115 an hour; a volume costs $0.14 a GB and month (730 hours).
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
INSTANCE_SECOND = (0.115 + 10 * 0.14 / 730) / 3600
DPU_SECOND, MEGABYTE = 0.44 / 3600, 5 / 1e6


class Place:
    """Buckets, a table, a work group and two Glue jobs of this test's own."""

    def __init__(self, cloud: Cloud) -> None:
        self.name = uuid.uuid4().hex[:8]
        self.cloud, self.bucket = cloud, f"costs-{self.name}"
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket=self.bucket)
        scripts = {"good.py": "import time; time.sleep(1)", "bad.py": "raise ValueError('no such column')"}
        for key, body in scripts.items():
            s3.put_object(Bucket=self.bucket, Key=key, Body=body)
            cloud.client("glue").create_job(
                Name=self.job(key.removesuffix(".py")),
                Role=f"arn:aws:iam::{ACCOUNT}:role/glue-job",
                Command={"Name": "glueetl", "ScriptLocation": f"s3://{self.bucket}/{key}"},
                GlueVersion="6.0",
                WorkerType="G.1X",
                NumberOfWorkers=2,
            )
        create_state_table(cloud.client("dynamodb"), self.name)
        where = {"ResultConfiguration": {"OutputLocation": f"s3://{self.bucket}/athena/"}}
        cloud.client("athena").create_work_group(Name=self.name, Configuration=where)
        self.ledger = JobLedger(self.name, SHOP)

    def job(self, kind: str) -> str:
        return f"{kind}-{self.name}"

    def key(self, name: str) -> str:
        return f"nj-{self.name}-{name}"

    def training(self, key: str, **hyperparameters: str) -> SubmitTrainingJobOperator:
        config = {
            "AlgorithmSpecification": {
                "TrainingImage": "job:1",
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python", "job.py"],
            },
            "RoleArn": ROLE,
            "HyperParameters": {"seconds": "1", **hyperparameters},
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/jobs/"},
            "ResourceConfig": CLUSTER,
            "StoppingCondition": {"MaxRuntimeInSeconds": 120},
        }
        return SubmitTrainingJobOperator(task_id="submit", submit_key=self.key(key), config=config, ledger=self.ledger)

    def processing(self, key: str) -> SubmitProcessingJobOperator:
        config = {
            "AppSpecification": {"ImageUri": "job:1", "ContainerEntrypoint": ["python", "job.py"]},
            "RoleArn": ROLE,
            "ProcessingResources": {"ClusterConfig": CLUSTER},
            "StoppingCondition": {"MaxRuntimeInSeconds": 120},
        }
        return SubmitProcessingJobOperator(
            task_id="submit", submit_key=self.key(key), config=config, ledger=self.ledger
        )

    def glue(self, kind: str) -> SubmitGlueJobOperator:
        return SubmitGlueJobOperator(
            task_id="submit", job_name=self.job(kind), arguments={}, submit_key=self.key(kind), ledger=self.ledger
        )

    def query(self, key: str, sql: str) -> SubmitAthenaQueryOperator:
        return SubmitAthenaQueryOperator(
            task_id="submit",
            query=sql,
            database="default",
            workgroup=self.name,
            submit_key=self.key(key),
            ledger=self.ledger,
        )

    def sense(self, job: Any) -> Any:
        sensor = JobSensor(task_id="sense", job=job, poll_seconds=0.2, ledger=self.ledger)
        try:
            return sensor.execute(context())
        except TaskDeferred as deferred:
            return sensor.execute_complete(context(), fire(deferred.trigger))

    def sweep(self) -> Any:
        kinds = [
            GlueRuns((self.job("good"), self.job("bad"))),
            AthenaQueries(self.name),
            TrainingJobs(f"nj-{self.name}-"),
            ProcessingJobs(f"nj-{self.name}-"),
        ]
        since = datetime.now(UTC) - timedelta(hours=1)
        recorded = SHOP.recorded(*DAYS, StateHook(self.name))
        return JobSweep(self.ledger, kinds).sweep(recorded, since)

    def charges(self) -> list[Any]:
        return charges("shop", *DAYS, StateHook(self.name))

    # --- the sum by hand ---

    def by_hand(self) -> float:
        """Asks the local cloud for every job, whether or not the product knows it, and adds up."""
        return sum(self._runs()) + sum(self._queries()) + sum(self._jobs())

    def _runs(self) -> Iterator[float]:
        for kind in ("good", "bad"):
            for run in self.cloud.client("glue").get_job_runs(JobName=self.job(kind))["JobRuns"]:
                yield max(run["ExecutionTime"], 60) * 2 * DPU_SECOND

    def _queries(self) -> Iterator[float]:
        athena = self.cloud.client("athena")
        for identifier in athena.list_query_executions(WorkGroup=self.name)["QueryExecutionIds"]:
            query = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
            if query["Status"]["State"] != "FAILED":
                yield max(query["Statistics"]["DataScannedInBytes"] / 1e6, 10) * MEGABYTE

    def _jobs(self) -> Iterator[float]:
        sagemaker, mine = self.cloud.client("sagemaker"), f"nj-{self.name}-"
        for one in sagemaker.list_training_jobs(NameContains=mine)["TrainingJobSummaries"]:
            job = sagemaker.describe_training_job(TrainingJobName=one["TrainingJobName"])
            yield job["BillableTimeInSeconds"] * INSTANCE_SECOND
        for one in sagemaker.list_processing_jobs(NameContains=mine)["ProcessingJobSummaries"]:
            job = sagemaker.describe_processing_job(ProcessingJobName=one["ProcessingJobName"])
            yield (job["ProcessingEndTime"] - job["ProcessingStartTime"]).total_seconds() * INSTANCE_SECOND


@pytest.fixture
def place(on_cloud: Cloud) -> Place:
    return Place(on_cloud)


def test_the_ledger_says_what_a_sum_by_hand_says(place: Place) -> None:
    run = place.glue("good")
    place.sense(_submitted(run))
    for _ in range(2):  # the second one is the next attempt
        with pytest.raises(AirflowFailException, match="no such column"):
            place.sense(_submitted(place.glue("bad")))
    place.sense(_submitted(place.query("q", "SELECT 1 AS one")))
    with pytest.raises(AirflowFailException, match="nowhere"):
        place.sense(_submitted(place.query("f", "SELECT nothing FROM nowhere")))
    with pytest.raises(AirflowFailException, match="f_distance"):
        place.sense(_submitted(place.training("t", fail="yes")))
    for number in (1, 2):  # another run adopts what has succeeded
        place.sense(_submitted(place.training("t"), context(run_id=f"manual__{number}")))
    place.sense(_submitted(place.processing("p")))
    job = _submitted(place.training("stopped", seconds="60"))
    place.cloud.wait_until(lambda: "TrainingStartTime" in job.describe(place.cloud.client("sagemaker")))
    assert StopJobsOperator(task_id="stop", jobs=[job], ledger=place.ledger).execute(context()) == [job.identifier]
    place.cloud.wait_until(lambda: job.state(job.describe(place.cloud.client("sagemaker"))) == "Stopped")
    unseen = _submitted(place.training("unseen"))
    place.cloud.wait_until(lambda: unseen.state(unseen.describe(place.cloud.client("sagemaker"))) == "Completed")

    before = {item["job"] for item in place.charges()}
    assert not before & {job.identifier, unseen.identifier}, "no sensor has seen their end"
    for _ in range(2):
        assert place.sweep() == []
    found = place.charges()
    assert len({item["job"] for item in found}) == len(found) == 10
    assert {item["run"] for item in found} == {"shop_retrain/manual__1"}, "who adopts a job pays nothing"
    assert [item["state"] for item in found].count("FAILED") == 3
    by_hand = place.by_hand()
    assert total(found) == pytest.approx(by_hand, rel=0.05)
    assert total(found) == pytest.approx(by_hand, rel=1e-3), "as good as exact, since the prices are the same"


def test_a_running_job_is_returned_with_every_run_that_has_asked_for_it(place: Place) -> None:
    job = _submitted(place.training("long", seconds="60"), context(run_id="first"))
    _submitted(place.training("long", seconds="60"), context(run_id="second"))
    (running,) = place.sweep()
    assert (running.name, running.job) == (job.identifier, job)
    assert [claim["run_id"] for claim in running.claims] == ["first", "second"]
    assert {claim["dag_id"] for claim in running.claims} == {"shop_retrain"}
    assert datetime.now(UTC) - running.begun < timedelta(minutes=2)
    assert JobSweep(place.ledger, []).stop(running) == ""
    place.cloud.wait_until(lambda: job.state(job.describe(place.cloud.client("sagemaker"))) == "Stopped")
    assert JobSweep(place.ledger, []).stop(running) == "", "it has ended since"


def test_a_job_that_somebody_else_started_has_no_claims(place: Place) -> None:
    config = place.training("x").config
    sagemaker = place.cloud.client("sagemaker")
    name = place.key("by-hand")
    sagemaker.create_training_job(TrainingJobName=name, **{**config, "HyperParameters": {"seconds": "60"}})
    (running,) = place.sweep()
    assert (running.name, running.claims) == (name, [])
    sagemaker.stop_training_job(TrainingJobName=name)


def test_a_worker_that_dies_after_the_start_has_claimed_the_job(place: Place) -> None:
    with pytest.raises(SystemExit):
        place.training("killed", seconds="60").execute(context(run_id="dead", ti=KilledTaskInstance()))
    (running,) = place.sweep()
    assert [claim["run_id"] for claim in running.claims] == ["dead"]
    running.job.stop(place.cloud.client("sagemaker"))


def test_a_ledger_that_cannot_be_written_fails_no_sensor(place: Place) -> None:
    job = _submitted(place.training("t"))
    sensor = JobSensor(task_id="sense", job=job, poll_seconds=0.2, ledger=JobLedger("no-such-table", SHOP))
    place.cloud.wait_until(lambda: job.state(job.describe(place.cloud.client("sagemaker"))) == "Completed")
    assert sensor.execute(context())["job_name"] == job.identifier


def test_the_teardown_says_what_the_run_has_cost(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    monkeypatch.setattr("nightjar.jobs.stop.add_note", notes.append)
    job = _submitted(place.training("t"))
    place.sense(job)
    StopJobsOperator(task_id="stop", jobs=[job], ledger=place.ledger).execute(context())
    (note,) = notes
    assert note.startswith("Its jobs cost $0.00") and "(training $0.00" in note


def test_the_ledger_has_one_text_in_every_process(place: Place) -> None:
    """Airflow stores it with the DAG: another text at each parse would be another version of the DAG."""
    assert str(JobLedger("state", SHOP)) == "JobLedger(table='state', accounts=JobAccounts(workload='shop'))"


def _submitted(operator: Any, where: Any = None) -> Any:
    """The job that a submit operator has started or adopted."""
    ti = TaskInstance()
    identifier = operator.execute({**(where or context()), "ti": ti})
    job = operator.submitted_job()
    return replace(job, **{fields(job)[-1].name: identifier})
