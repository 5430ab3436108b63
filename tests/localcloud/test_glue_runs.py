"""Glue job runs over boto3. Only one script starts Spark."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from moto.glue.models import glue_backends

from infra.localcloud.config import Config, GlueSettings
from infra.localcloud.glue.execution import JobExecution
from infra.localcloud.glue.job_run import JobRun
from infra.localcloud.identity import RoleIdentity
from infra.localcloud.install import Context
from infra.localcloud.jobs import Runner
from infra.localcloud.state import StateStore
from tests.support.glue_runs import BUCKET, ROLE, finished, log_lines
from tests.support.localcloud import ACCOUNT, CLASS_DATA, REGION, Cloud

pytestmark = pytest.mark.stack


class ServersIdentity(RoleIdentity):
    """Credentials of a role of another process's server."""

    def __init__(self, config: Config, cloud: Cloud) -> None:
        super().__init__(config)
        self._sts = cloud.client("sts")

    def mint(
        self, role_arn: str, session: str = "test", *, service: str | None = None, source_arn: str | None = None
    ) -> dict[str, str]:
        """Assumes the role at the server."""
        keys = self._sts.assume_role(RoleArn=role_arn, RoleSessionName=session)["Credentials"]
        return self.environment(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


@pytest.mark.spark
def test_a_script_writes_parquet_to_s3_and_reads_it_back(cloud: Cloud, glue_job: Any) -> None:
    arguments = {"--rows": "1", "--out": f"s3://{BUCKET}/out/", "--extra-py-files": f"s3://{BUCKET}/code/extra.zip"}
    arguments["--archive"] = str(CLASS_DATA.resolve())
    name = glue_job("spark.py", DefaultArguments=arguments)
    run = cloud.client("glue").start_job_run(JobName=name, Arguments={"--rows": "1000"})["JobRunId"]
    ended = finished(cloud, name, run, 240)
    assert ended["JobRunState"] == "SUCCEEDED", ended.get("ErrorMessage")
    assert f"rows 1000 mapped 1000 zone UTC rest ['--JOB_NAME', '{name}']" in log_lines(cloud, run)
    if CLASS_DATA.exists():  # set-up could make it
        assert "archive of classes: True" in log_lines(cloud, run), (
            f"the JVM refused the archive: rm -r {CLASS_DATA.parent}; make setup-test"
        )
    assert ended["Arguments"]["--rows"] == "1000"
    assert ended["LogGroupName"] == "/aws-glue/jobs"
    assert ended["ExecutionTime"] >= 1
    keys = [item["Key"] for item in cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="out/")["Contents"]]
    assert {key.split("/")[1] for key in keys if key.endswith(".parquet")} == {"part=0", "part=1", "part=2"}
    requests = {(line["action"], line["resource"]) for line in cloud.requests() if line["role"] == ROLE}
    assert ("GetObject", f"{BUCKET}/code/spark.py") in requests
    assert any(action == "PutObject" and resource.startswith(f"{BUCKET}/out/") for action, resource in requests)


def test_a_failing_script_is_failed_with_its_reason(cloud: Cloud, glue_job: Any) -> None:
    name = glue_job("bad.py")
    run = cloud.client("glue").start_job_run(JobName=name)["JobRunId"]
    ended = finished(cloud, name, run)
    assert (ended["JobRunState"], ended["ErrorMessage"]) == ("FAILED", "KeyError: 'missing' (exit code 1)")
    assert log_lines(cloud, run) == ["before"]
    assert "Traceback (most recent call last):" in log_lines(cloud, run, "error")


def test_an_absent_script_is_a_launch_error(cloud: Cloud, glue_job: Any) -> None:
    name = glue_job("none.py")
    ended = finished(cloud, name, cloud.client("glue").start_job_run(JobName=name)["JobRunId"])
    assert ended["JobRunState"] == "FAILED"
    assert "Error downloading from S3" in ended["ErrorMessage"]
    assert "code/none.py" in ended["ErrorMessage"]


def test_runs_stop_and_concurrent_runs_are_limited(cloud: Cloud, glue_job: Any) -> None:
    glue = cloud.client("glue")
    name = glue_job("sleep.py")
    run = glue.start_job_run(JobName=name)["JobRunId"]
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName=name)
    cloud.wait_until(lambda: glue.get_job_run(JobName=name, RunId=run)["JobRun"]["JobRunState"] == "RUNNING")
    answer = glue.batch_stop_job_run(JobName=name, JobRunIds=[run, "jr_none"])
    assert answer["SuccessfulSubmissions"] == [{"JobName": name, "JobRunId": run}]
    assert answer["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert finished(cloud, name, run)["JobRunState"] == "STOPPED"
    assert glue.batch_stop_job_run(JobName=name, JobRunIds=[run])["Errors"][0]["JobRunId"] == run


def test_runs_are_listed_newest_first_with_their_arguments(cloud: Cloud, glue_job: Any) -> None:
    glue = cloud.client("glue")
    name = glue_job(
        "ok.py", DefaultArguments={"--a": "default", "--b": "default"}, ExecutionProperty={"MaxConcurrentRuns": 3}
    )
    runs = [glue.start_job_run(JobName=name, Arguments={"--a": str(n)})["JobRunId"] for n in range(3)]
    for run in runs:
        assert finished(cloud, name, run)["JobRunState"] == "SUCCEEDED"
    pages = glue.get_paginator("get_job_runs").paginate(JobName=name, PaginationConfig={"PageSize": 2})
    listed = [run for page in pages for run in page["JobRuns"]]
    assert [run["Id"] for run in listed] == runs[::-1]
    assert listed[0]["Arguments"] == {"--a": "2", "--b": "default"}
    assert "'--a', '2', '--b', 'default'" in log_lines(cloud, runs[2])[0]


def test_a_job_can_be_updated(cloud: Cloud, glue_job: Any, glue_scripts: str) -> None:
    glue = cloud.client("glue")
    name = glue_job("bad.py", DefaultArguments={"--old": "x"}, Timeout=7)
    command = {"Name": "glueetl", "ScriptLocation": f"{glue_scripts}ok.py"}
    glue.update_job(JobName=name, JobUpdate={"Role": ROLE, "Command": command, "DefaultArguments": {"--new": "y"}})
    assert glue.get_job(JobName=name)["Job"]["DefaultArguments"] == {"--new": "y"}
    run = glue.start_job_run(JobName=name)["JobRunId"]
    ended = finished(cloud, name, run)
    assert (ended["JobRunState"], ended["Arguments"], ended["Timeout"]) == ("SUCCEEDED", {"--new": "y"}, 480)


def test_an_argument_that_is_not_honoured_is_refused_before_the_run_starts(cloud: Cloud, glue_job: Any) -> None:
    glue = cloud.client("glue")
    name = glue_job("ok.py")
    with pytest.raises(glue.exceptions.InvalidInputException, match="--extra-jars"):
        glue.start_job_run(JobName=name, Arguments={"--extra-jars": "s3://b/x.jar"})
    assert glue.get_job_runs(JobName=name)["JobRuns"] == []


def test_a_run_over_its_timeout_is_ended(cloud: Cloud, glue_scripts: str, tmp_path: Path) -> None:
    """The run executes in this process, with a limit of a second; its script is in the server's S3."""
    port = int(cloud.endpoint.rsplit(":", 1)[1])
    config = Config(state=tmp_path, glue=GlueSettings(python=Path(sys.executable), jars=()), port=port)
    identity = ServersIdentity(config, cloud)
    runner = Runner(config, identity)
    run = JobRun("jr_slow", "slow", ROLE, f"{glue_scripts}sleep.py", {}, timeout_minutes=1 / 60)
    state = StateStore(config)
    JobExecution(Context(config, identity, runner, state), run, glue_backends[ACCOUNT][REGION])()
    runner.close()
    state.close()
    ended = run.as_dict()
    assert ended["JobRunState"] == "TIMEOUT"
    assert "exceeded its Timeout" in ended["ErrorMessage"]
