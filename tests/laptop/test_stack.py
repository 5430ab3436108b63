"""Starts PostgreSQL and the local cloud, creates the resources and replays events. The e2e tests start Airflow too."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from rich.console import Console

from include.lake.uris import split_s3_uri
from include.workloads import load
from infra.laptop import airflow, airflow_environment, bootstrap, cloud, family, postgres, query, replay, stack, status
from infra.laptop.aws import Aws
from infra.laptop.bootstrap import Resources
from infra.laptop.bootstrap.roles import Role
from infra.laptop.config import ROOT, LaptopConfig, LaptopError
from infra.laptop.free_ports import free_port
from infra.laptop.postgres import Postgres
from infra.laptop.processes import Supervisor
from infra.laptop.progress import Reporter

pytestmark = pytest.mark.stack
START, END = date(2013, 7, 1), date(2013, 7, 3)


class Up(NamedTuple):
    aws: Aws
    server: Postgres
    resources: Resources


@pytest.fixture(scope="module")
def config() -> Iterator[LaptopConfig]:
    """A configuration whose state is outside pytest's folder: pytest closes that to other users, like PostgreSQL's."""
    home = Path(os.environ.get("NIGHTJAR_HOME") or ROOT / ".nightjar")
    with tempfile.TemporaryDirectory(prefix="nightjar-test-") as run:
        yield LaptopConfig(home=home, run=Path(run), cloud_port=free_port(), service_port=free_port(following=9))


@pytest.fixture(scope="module")
def up(config: LaptopConfig) -> Iterator[Up]:
    """The local cloud with all resources, and PostgreSQL."""
    supervisor = Supervisor(config.state)
    try:
        server = postgres.start(config, supervisor, ("flights",))
        cloud.start(config, supervisor)
        aws = Aws(config)
        yield Up(aws, server, bootstrap.create_resources(config, aws, server))
    finally:
        supervisor.stop(cloud.NAME)
        supervisor.stop(postgres.NAME)
        assert family.members(config.state) == []


def quiet() -> Reporter:
    return Reporter(Console(quiet=True))


def test_a_second_bootstrap_changes_nothing(up: Up, config: LaptopConfig) -> None:
    aws, server, resources = up
    families = aws.ecs.list_task_definitions()["taskDefinitionArns"]
    assert bootstrap.create_resources(config, aws, server) == resources
    assert aws.ecs.list_task_definitions()["taskDefinitionArns"] == families


def test_buckets_keep_every_version(up: Up) -> None:
    aws, _, resources = up
    names = resources.settings
    for bucket in (names.raw_bucket, names.lake_bucket, names.artifact_bucket):
        assert aws.s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_glue_jobs_point_at_this_build(up: Up) -> None:
    aws, _, resources = up
    job = aws.glue.get_job(JobName=resources.settings.glue_transform_job)["Job"]
    bucket, key = split_s3_uri(job["Command"]["ScriptLocation"])
    assert resources.code_sha in key and job["GlueVersion"] == "6.0"
    assert aws.s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    bucket, key = split_s3_uri(job["DefaultArguments"]["--extra-py-files"])
    assert aws.s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0


def test_the_service_waits_for_its_first_deploy_behind_its_load_balancer(up: Up, config: LaptopConfig) -> None:
    aws, _, resources = up
    service = aws.ecs.describe_services(cluster="nightjar", services=["nightjar-flights"])["services"][0]
    assert service["desiredCount"] == 0
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    url = aws.ssm.get_parameter(Name="/nightjar/flights/service_url")["Parameter"]["Value"]
    assert url == resources.service_urls["flights"] == f"http://127.0.0.1:{config.service_port}"


def test_the_database_secret_opens_the_database(up: Up) -> None:
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


def test_a_wrong_password_does_not_open_it(up: Up) -> None:
    _, server, _ = up
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url("flights").replace(server.password, "wrong"))


def test_roles_are_assumed_with_credentials_of_their_own(up: Up) -> None:
    aws = up.aws
    answer = aws.sts.assume_role(RoleArn=Role("airflow").arn, RoleSessionName="test")
    assert "nightjar-airflow" in answer["AssumedRoleUser"]["Arn"]
    document = aws.iam.get_role_policy(RoleName="nightjar-airflow", PolicyName="nightjar")["PolicyDocument"]
    actions = [action for statement in document["Statement"] for action in statement["Action"]]
    assert not [action for action in actions if action.endswith("*")]


def test_history_is_replayed_once(up: Up, config: LaptopConfig) -> None:
    aws, _, resources = up
    history = replay.History(load("flights"), config.data, START, END)
    table = resources.settings.state_table
    first = history.replay(aws, table, date(2013, 7, 2), quiet())
    assert first == len(history.by_day["2013-07-01"]) > 500
    assert history.replay(aws, table, date(2013, 7, 2), quiet()) == 0
    assert history.replay(aws, table, END, quiet()) == len(history.by_day["2013-07-02"])
    assert replay.replayed_to(aws, table, "flights") == END
    assert sum(_records(aws, shard) for shard in _shards(aws)) == sum(map(len, history.by_day.values()))


def test_reference_tables_are_filled_once(up: Up, config: LaptopConfig) -> None:
    _, server, _ = up
    added = replay.load_tables(server, load("flights"), config.data)
    assert added["weather"] > 20_000 and added["airlines"] == 16
    assert set(replay.load_tables(server, load("flights"), config.data).values()) == {0}


def test_a_query_gives_columns_and_rows_and_athenas_own_error(up: Up) -> None:
    assert query.run(up.aws, "select 1 as one, cast(null as varchar) as nothing") == query.Answer(
        ["one", "nothing"], [["1", None]], cut=False
    )
    assert query.run(up.aws, "show tables").columns == ["tab_name"]
    many = query.run(up.aws, f"select n from unnest(sequence(1, {query.MAX_ROWS + 5})) as t(n)")
    assert (len(many.rows), many.cut) == (query.MAX_ROWS, True)
    with pytest.raises(LaptopError, match=r"The query failed: TABLE_NOT_FOUND.*nowhere"):
        query.run(up.aws, "select * from nowhere")


def test_airflows_credentials_are_kept_while_they_are_good(up: Up, config: LaptopConfig) -> None:
    aws = up.aws
    file = config.state / airflow_environment.CREDENTIALS
    airflow.refresh_credentials(config, aws, Role("airflow").arn)
    first = file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    airflow.refresh_credentials(config, aws, Role("airflow").arn)
    assert file.read_text() == first
    file.write_text(first.replace("ASIA", "ASIX"))  # a key that the local cloud does not know
    airflow.refresh_credentials(config, aws, Role("airflow").arn)
    assert file.read_text() not in (first, first.replace("ASIA", "ASIX"))


def test_the_settings_that_are_known_early_name_what_is_created_later(up: Up) -> None:
    """Airflow starts with them beside the bootstrap."""
    settings = bootstrap.settings()
    assert settings.training_role_arn == up.aws.iam.get_role(RoleName="nightjar-sagemaker")["Role"]["Arn"]
    assert settings.alerts_topic_arn in [topic["TopicArn"] for topic in up.aws.sns.list_topics()["Topics"]]


def test_the_environment_of_airflow_stays_the_same_with_new_credentials(up: Up, config: LaptopConfig) -> None:
    """Otherwise `make run` would restart Airflow after each restart of the local cloud."""
    aws, server, resources = up
    before = airflow_environment.environment(config, resources.settings, server)
    (config.state / airflow_environment.CREDENTIALS).unlink(missing_ok=True)
    airflow.refresh_credentials(config, aws, Role("airflow").arn)
    assert airflow_environment.environment(config, resources.settings, server) == before


def test_the_status_has_a_reason_for_what_does_not_answer(
    up: Up, config: LaptopConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "TIMEOUT_SECONDS", 60.0)  # a busy machine may need longer than a person waits
    found = status.status(config)
    assert not found["running"] and found["processes"]["airflow-scheduler"] == {"state": "stopped"}
    assert found["processes"]["postgres"]["state"] == found["processes"]["cloud"]["state"] == "running"
    assert found["local_cloud"]["status"] == "ok"
    workload = found["workloads"]["flights"]
    assert workload["live"] is None and workload["versions"] == []
    assert workload["last_runs"] == {"error": "airflow-api-server is not running"}
    assert workload["url"] == f"http://127.0.0.1:{config.service_port}"
    assert any("`make restart WHAT=scheduler`" in problem for problem in found["problems"])


def test_files_of_the_run_folder_are_closed_to_others(up: Up, config: LaptopConfig) -> None:
    stack.close_to_others(config)
    assert config.state.stat().st_mode & 0o067 == 0  # with a user of its own, PostgreSQL passes through
    paths = [path for path in config.state.rglob("*") if not path.is_symlink()]
    below_closed = [path for path in paths if path.parent != config.state]
    assert [path for path in config.state.iterdir() if path.stat().st_mode & 0o077] == []
    assert below_closed


# The last ones kill processes of the module's stack.


def test_a_restarted_local_cloud_is_another_process_with_the_same_configuration(up: Up, config: LaptopConfig) -> None:
    supervisor = Supervisor(config.state)
    before, said = supervisor.find(cloud.NAME), list[str]()
    stack.restart(config, [cloud.NAME], said.append)
    after = supervisor.find(cloud.NAME)
    assert before and after and after.pid != before.pid and after.digest == before.digest
    assert said == ["cloud is stopped", "cloud is started"]


def test_a_killed_postgresql_answers_again_at_the_same_address(up: Up, config: LaptopConfig) -> None:
    _, server, _ = up
    supervisor = Supervisor(config.state)
    killed = supervisor.find(postgres.NAME)
    assert killed is not None
    os.kill(killed.pid, signal.SIGKILL)
    _until(lambda: (found := supervisor.find(postgres.NAME)) and found.pid != killed.pid and server.answers())
    again = supervisor.find(postgres.NAME)
    assert again is not None and again.restarts >= 1 and again.exit_code is not None
    with psycopg.connect(server.url("flights")) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_killed_local_cloud_answers_again(up: Up, config: LaptopConfig) -> None:
    supervisor = Supervisor(config.state)
    killed = supervisor.find(cloud.NAME)
    assert killed is not None
    os.kill(killed.pid, signal.SIGKILL)
    _until(lambda: supervisor.find(cloud.NAME) not in (None, killed) and cloud.healthy(config))
    shown = status.status(config)["processes"]["cloud"]
    assert (shown["state"], shown["restarts"], shown["last_exit_code"]) == ("running", 1, -9)


def _until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.1)


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
