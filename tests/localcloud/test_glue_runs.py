"""Glue job runs, seen by boto3 and by the Amazon provider's operator, hook and trigger. Only one script starts Spark."""

from __future__ import annotations

import asyncio
import inspect
import io
import os
import sys
import zipfile
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

BUCKET = "glue-bucket"
ROLE = "arn:aws:iam::123456789012:role/glue-job"
pytestmark = pytest.mark.stack

SPARK = """
import argparse, sys
from pyspark.sql import SparkSession
from nightjar_extra.names import COLUMN

parser = argparse.ArgumentParser()
parser.add_argument("--out", required=True)
parser.add_argument("--rows", type=int)
known, rest = parser.parse_known_args()
spark = SparkSession.builder.getOrCreate()
frame = spark.range(known.rows).selectExpr("id", f"cast(id % 3 as string) as {COLUMN}", "timestamp'2013-03-01 10:00:00' as at")
frame.write.partitionBy(COLUMN).mode("overwrite").parquet(known.out)

def plus(batches):
    from nightjar_extra.names import COLUMN
    for batch in batches:
        batch[COLUMN] = COLUMN
        yield batch

back = spark.read.parquet(known.out)
seen = back.drop(COLUMN).mapInPandas(plus, f"id bigint, at timestamp, {COLUMN} string").filter(f"{COLUMN} = '{COLUMN}'").count()
print("rows", back.count(), "mapped", seen, "zone", spark.conf.get("spark.sql.session.timeZone"), "rest", rest[:2])
"""


@pytest.fixture(scope="module")
def scripts(cloud: Any) -> str:
    """The bucket with the scripts; returns the s3:// prefix."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("nightjar_extra/__init__.py", "")
        file.writestr("nightjar_extra/names.py", "COLUMN = 'part'")
    bodies = {
        "spark.py": SPARK,
        "extra.zip": archive.getvalue(),
        "ok.py": "import sys; print('argv', sys.argv[1:])",
        "bad.py": "print('before')\ndef clean(row):\n    return row['missing']\nclean({})\n",
        "sleep.py": "import time\nprint('sleeping')\ntime.sleep(120)\n",
    }
    for key, body in bodies.items():
        s3.put_object(Bucket=BUCKET, Key=f"code/{key}", Body=body)
    return f"s3://{BUCKET}/code/"


@pytest.fixture
def job(cloud: Any, scripts: str, request: pytest.FixtureRequest) -> Any:
    """``job(script, **settings)`` makes a job of this test's own and returns its name."""
    glue = cloud.client("glue")

    def make(script: str, **settings: Any) -> str:
        name = request.node.name.replace("[", "-").replace("]", "")
        glue.create_job(
            Name=name,
            Role=ROLE,
            Command={"Name": "glueetl", "ScriptLocation": scripts + script},
            GlueVersion="6.0",
            **settings,
        )
        return name

    return make


def finished(cloud: Any, name: str, run: str, seconds: float = 60) -> dict[str, Any]:
    glue = cloud.client("glue")

    def look() -> dict[str, Any] | None:
        found = glue.get_job_run(JobName=name, RunId=run)["JobRun"]
        return None if found["JobRunState"] in ("STARTING", "RUNNING", "STOPPING") else found

    return cloud.wait_until(look, seconds=seconds)


def events(cloud: Any, run: str, stream: str = "output") -> list[str]:
    logs = cloud.client("logs").get_log_events(logGroupName=f"/aws-glue/jobs/{stream}", logStreamName=run)
    return [event["message"] for event in logs["events"]]


@pytest.mark.spark
def test_a_script_writes_parquet_to_s3_and_reads_it_back(cloud: Any, job: Any) -> None:
    arguments = {"--rows": "1", "--out": f"s3://{BUCKET}/out/", "--extra-py-files": f"s3://{BUCKET}/code/extra.zip"}
    name = job("spark.py", DefaultArguments=arguments)
    run = cloud.client("glue").start_job_run(JobName=name, Arguments={"--rows": "1000"})["JobRunId"]
    ended = finished(cloud, name, run, 240)
    assert ended["JobRunState"] == "SUCCEEDED", ended.get("ErrorMessage")
    assert f"rows 1000 mapped 1000 zone UTC rest ['--JOB_NAME', '{name}']" in events(cloud, run)
    assert ended["Arguments"]["--rows"] == "1000"
    assert ended["LogGroupName"] == "/aws-glue/jobs"
    assert ended["ExecutionTime"] >= 1
    keys = [item["Key"] for item in cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="out/")["Contents"]]
    assert {key.split("/")[1] for key in keys if key.endswith(".parquet")} == {"part=0", "part=1", "part=2"}
    asked = {(line["action"], line["resource"]) for line in cloud.requests() if line["role"] == ROLE}
    assert ("GetObject", f"{BUCKET}/code/spark.py") in asked
    assert any(action == "PutObject" and resource.startswith(f"{BUCKET}/out/") for action, resource in asked)


def test_a_failing_script_is_failed_with_its_reason(cloud: Any, job: Any) -> None:
    name = job("bad.py")
    run = cloud.client("glue").start_job_run(JobName=name)["JobRunId"]
    ended = finished(cloud, name, run)
    assert (ended["JobRunState"], ended["ErrorMessage"]) == ("FAILED", "KeyError: 'missing' (exit code 1)")
    assert events(cloud, run) == ["before"]
    assert "Traceback (most recent call last):" in events(cloud, run, "error")


def test_a_script_that_is_not_there_is_a_launch_error(cloud: Any, job: Any) -> None:
    name = job("none.py")
    ended = finished(cloud, name, cloud.client("glue").start_job_run(JobName=name)["JobRunId"])
    assert ended["JobRunState"] == "FAILED"
    assert "Error downloading from S3" in ended["ErrorMessage"]
    assert "code/none.py" in ended["ErrorMessage"]


def test_runs_stop_and_only_so_many_run_at_once(cloud: Any, job: Any) -> None:
    glue = cloud.client("glue")
    name = job("sleep.py")
    run = glue.start_job_run(JobName=name)["JobRunId"]
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName=name)
    cloud.wait_until(lambda: glue.get_job_run(JobName=name, RunId=run)["JobRun"]["JobRunState"] == "RUNNING")
    answer = glue.batch_stop_job_run(JobName=name, JobRunIds=[run, "jr_none"])
    assert answer["SuccessfulSubmissions"] == [{"JobName": name, "JobRunId": run}]
    assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert finished(cloud, name, run)["JobRunState"] == "STOPPED"
    assert glue.batch_stop_job_run(JobName=name, JobRunIds=[run])["Errors"][0]["JobRunId"] == run


def test_runs_are_listed_newest_first_with_their_arguments(cloud: Any, job: Any) -> None:
    glue = cloud.client("glue")
    name = job(
        "ok.py", DefaultArguments={"--a": "default", "--b": "default"}, ExecutionProperty={"MaxConcurrentRuns": 3}
    )
    runs = [glue.start_job_run(JobName=name, Arguments={"--a": str(n)})["JobRunId"] for n in range(3)]
    for run in runs:
        assert finished(cloud, name, run)["JobRunState"] == "SUCCEEDED"
    pages = glue.get_paginator("get_job_runs").paginate(JobName=name, PaginationConfig={"PageSize": 2})
    listed = [run for page in pages for run in page["JobRuns"]]
    assert [run["Id"] for run in listed] == runs[::-1]
    assert listed[0]["Arguments"] == {"--a": "2", "--b": "default"}
    assert "'--a', '2', '--b', 'default'" in events(cloud, runs[2])[0]


def test_a_job_can_be_updated(cloud: Any, job: Any, scripts: str) -> None:
    glue = cloud.client("glue")
    name = job("bad.py", DefaultArguments={"--old": "x"}, Timeout=7)
    command = {"Name": "glueetl", "ScriptLocation": f"{scripts}ok.py"}
    glue.update_job(JobName=name, JobUpdate={"Role": ROLE, "Command": command, "DefaultArguments": {"--new": "y"}})
    assert glue.get_job(JobName=name)["Job"]["DefaultArguments"] == {"--new": "y"}
    run = glue.start_job_run(JobName=name)["JobRunId"]
    ended = finished(cloud, name, run)
    assert (ended["JobRunState"], ended["Arguments"], ended["Timeout"]) == ("SUCCEEDED", {"--new": "y"}, 480)


def test_what_is_not_honoured_is_refused_before_it_starts(cloud: Any, job: Any) -> None:
    glue = cloud.client("glue")
    name = job("ok.py")
    with pytest.raises(glue.exceptions.InvalidInputException, match="--extra-jars"):
        glue.start_job_run(JobName=name, Arguments={"--extra-jars": "s3://b/x.jar"})
    assert glue.get_job_runs(JobName=name)["JobRuns"] == []


def test_a_run_over_its_timeout_is_ended(
    cloud: Any, scripts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backend in this process (a minute is a second here), its script in the server's S3."""
    from infra.localcloud.config import Config, GlueSettings
    from infra.localcloud.glue.models import GlueBackend
    from infra.localcloud.identity import RoleIdentity
    from infra.localcloud.install import Context
    from infra.localcloud.jobs import Runner

    monkeypatch.setattr("infra.localcloud.glue.run.SECONDS_A_MINUTE", 1)
    config = Config(
        state=tmp_path,
        glue=GlueSettings(python=Path(sys.executable), jars=()),
        port=int(cloud.endpoint.rsplit(":", 1)[1]),
    )
    identity = RoleIdentity(config)
    runner = Runner(config, identity)
    backend_class = type("Backend", (GlueBackend,), {"context": Context(config, identity, runner)})
    backend = backend_class("us-east-1", "123456789012")
    command = {"Name": "glueetl", "ScriptLocation": f"{scripts}sleep.py"}
    given = {"name": "slow", "role": "glue-job", "command": command, "timeout": 1}
    backend.create_job(
        **{name: given.get(name) for name in inspect.signature(GlueBackend.create_job).parameters if name != "self"}
    )
    run_id = backend.start_job_run("slow", {}, *[None] * 8)
    run = backend.get_job_run("slow", run_id)
    cloud.wait_until(lambda: not run.unfinished)
    runner.close()
    assert run.as_dict()["JobRunState"] == "TIMEOUT"
    assert "exceeded its Timeout of 1 minute" in run.as_dict()["ErrorMessage"]


@pytest.fixture
def airflow_task(aws_environment: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``airflow_task(GlueJobOperator, **arguments)`` against the server."""
    os.environ.setdefault("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))

    def make(operator: type, **arguments: Any) -> Any:
        return operator(task_id="t", aws_conn_id=None, region_name="us-east-1", **arguments)

    return make


def test_the_provider_s_operator_runs_a_job_and_shows_its_failure(job: Any, airflow_task: Any, capsys: Any) -> None:
    from airflow.providers.amazon.aws.operators.glue import GlueJobOperator

    name = job("bad.py")
    task = airflow_task(GlueJobOperator, job_name=name, job_poll_interval=0.2, verbose=True)
    with pytest.raises(Exception, match="Run State: FAILED"):
        task.execute({"ti": MagicMock(), "task": task})
    assert "KeyError: 'missing'" in capsys.readouterr().out


def test_the_provider_s_hook_and_trigger_follow_a_run(cloud: Any, job: Any, airflow_task: Any) -> None:
    from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
    from airflow.providers.amazon.aws.triggers.glue import GlueJobCompleteTrigger

    name = job("ok.py")
    task = airflow_task(GlueJobOperator, job_name=name, script_args={"--a": "b"}, wait_for_completion=False)
    run = task.execute({"ti": MagicMock(), "task": task})
    trigger = GlueJobCompleteTrigger(
        name, run, waiter_delay=1, waiter_max_attempts=60, aws_conn_id=None, region_name="us-east-1"
    )

    async def first_event() -> Any:
        return await anext(aiter(trigger.run()))

    assert asyncio.run(first_event()).payload["status"] == "success"
    assert task.hook.get_job_state(name, run) == "SUCCEEDED"
    assert "'--a', 'b'" in events(cloud, run)[0]
