"""PostgreSQL, the local cloud, the bootstrap and the replay, really started; Airflow is left to the end-to-end tests."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from rich.console import Console

from include.workloads import load
from infra.laptop import bootstrap, cloud, postgres, replay
from infra.laptop.aws import Aws
from infra.laptop.config import ROOT, LaptopConfig
from infra.laptop.ports import free_port
from infra.laptop.processes import Supervisor
from infra.laptop.progress import Reporter

pytestmark = pytest.mark.stack
START, END = date(2013, 7, 1), date(2013, 7, 3)


@pytest.fixture(scope="module")
def config() -> Iterator[LaptopConfig]:
    """State outside pytest's own folder: every pytest run that starts shuts that to all but root, and PostgreSQL is not root."""
    home = Path(os.environ.get("NIGHTJAR_HOME") or ROOT / ".nightjar")
    ports = {"cloud_port": free_port(), "service_port": free_port()}
    with tempfile.TemporaryDirectory(prefix="nightjar-test-") as run:
        yield LaptopConfig(home=home, run=Path(run), **ports)


@pytest.fixture(scope="module")
def up(config: LaptopConfig):
    """The cloud with everything created in it, and PostgreSQL."""
    supervisor = Supervisor(config.state)
    try:
        server = postgres.start(config, supervisor, ("flights",))
        cloud.start(config, supervisor)
        aws = Aws(config)
        yield aws, server, bootstrap.bootstrap(config, aws, server)
    finally:
        supervisor.stop(cloud.NAME)
        supervisor.stop(postgres.NAME)


def quiet() -> Reporter:
    return Reporter(Console(quiet=True))


def test_a_second_bootstrap_changes_nothing(up, config: LaptopConfig) -> None:
    aws, server, platform = up
    families = aws.ecs.list_task_definitions()["taskDefinitionArns"]
    assert bootstrap.bootstrap(config, aws, server) == platform
    assert aws.ecs.list_task_definitions()["taskDefinitionArns"] == families


def test_buckets_keep_every_version(up) -> None:
    aws, _, platform = up
    for bucket in (platform.settings.lake_bucket, platform.settings.artifact_bucket):
        assert aws.s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_glue_jobs_point_at_this_build(up) -> None:
    aws, _, platform = up
    job = aws.glue.get_job(JobName=platform.settings.glue_transform_job)["Job"]
    bucket, key = job["Command"]["ScriptLocation"].removeprefix("s3://").split("/", 1)
    assert platform.code_sha in key and job["GlueVersion"] == "6.0"
    assert aws.s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    archive = job["DefaultArguments"]["--extra-py-files"].removeprefix("s3://").split("/", 1)
    assert aws.s3.head_object(Bucket=archive[0], Key=archive[1])["ContentLength"] > 0


def test_the_service_waits_for_its_first_deploy_behind_its_load_balancer(up, config: LaptopConfig) -> None:
    aws, _, platform = up
    service = aws.ecs.describe_services(cluster="nightjar", services=["nightjar-flights"])["services"][0]
    assert service["desiredCount"] == 0
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    url = aws.ssm.get_parameter(Name="/nightjar/flights/service_url")["Parameter"]["Value"]
    assert url == platform.service_urls["flights"] == f"http://127.0.0.1:{config.service_port}"


def test_the_database_secret_opens_the_database(up) -> None:
    aws, _, _ = up
    secret = json.loads(aws.secretsmanager.get_secret_value(SecretId="nightjar/flights/database")["SecretString"])
    with psycopg.connect(
        host=secret["host"],
        port=secret["port"],
        dbname=secret["dbname"],
        user=secret["username"],
        password=secret["password"],
    ) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_wrong_password_does_not_open_it(up) -> None:
    _, server, _ = up
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url("flights").replace(server.password, "wrong"))


def test_roles_are_assumed_with_credentials_of_their_own(up) -> None:
    aws, _, platform = up
    answer = aws.sts.assume_role(RoleArn=platform.roles["airflow"], RoleSessionName="test")
    assert "nightjar-airflow" in answer["AssumedRoleUser"]["Arn"]
    document = aws.iam.get_role_policy(RoleName="nightjar-airflow", PolicyName="nightjar")["PolicyDocument"]
    actions = [action for statement in document["Statement"] for action in statement["Action"]]
    assert not [action for action in actions if action.endswith("*")]


def test_history_is_replayed_once(up, config: LaptopConfig) -> None:
    aws, _, platform = up
    history = replay.History(load("flights"), config.data, START, END)
    table = platform.settings.state_table
    first = history.replay(aws, table, date(2013, 7, 2), quiet())
    assert first == len(history.by_day["2013-07-01"]) > 500
    assert history.replay(aws, table, date(2013, 7, 2), quiet()) == 0
    assert history.replay(aws, table, END, quiet()) == len(history.by_day["2013-07-02"])
    assert replay.replayed_to(aws, table, "flights") == END
    assert sum(_records(aws, shard) for shard in _shards(aws)) == sum(map(len, history.by_day.values()))


def test_reference_tables_are_filled_once(up, config: LaptopConfig) -> None:
    _, server, _ = up
    added = replay.load_tables(server, load("flights"), config.data)
    assert added["weather"] > 20_000 and added["airlines"] == 16
    assert set(replay.load_tables(server, load("flights"), config.data).values()) == {0}


def test_no_run_starts_by_the_clock(up) -> None:
    """The trigger on Airflow's ``dag`` table, on a table with the one column that matters."""
    _, server, _ = up
    with psycopg.connect(server.url("postgres")) as connection:
        connection.execute("CREATE TABLE dag (dag_id text, next_dagrun_create_after timestamptz)")
        connection.execute((ROOT / "infra" / "laptop" / "airflow_clock.sql").read_text())
        connection.execute("INSERT INTO dag VALUES ('a', now())")
        connection.execute("UPDATE dag SET next_dagrun_create_after = now()")
        assert connection.execute("SELECT next_dagrun_create_after FROM dag").fetchone() == (None,)
        connection.rollback()


def _shards(aws: Aws) -> list[str]:
    return [shard["ShardId"] for shard in aws.kinesis.list_shards(StreamName="nightjar-flights")["Shards"]]


def _records(aws: Aws, shard: str) -> int:
    iterator = aws.kinesis.get_shard_iterator(
        StreamName="nightjar-flights", ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )
    position, count = iterator["ShardIterator"], 0
    while True:
        answer = aws.kinesis.get_records(ShardIterator=position, Limit=10_000)
        count += len(answer["Records"])
        if not answer["MillisBehindLatest"] and not answer["Records"]:
            return count
        position = answer["NextShardIterator"]
