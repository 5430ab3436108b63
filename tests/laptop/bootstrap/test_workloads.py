"""The resources of several workloads, in a running local cloud: each has its own port, and none takes another down."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from include.lake import layout, resources
from include.workloads import discover
from include.workloads.schema import PREDICTIONS_TABLE
from infra.laptop import bootstrap, bounds, cloud, query
from infra.laptop.aws import Aws
from infra.laptop.bootstrap import Resources, services
from infra.laptop.config import ROOT, LaptopConfig, LaptopError
from infra.laptop.free_ports import HOST, free_port
from infra.laptop.postgres import Postgres
from infra.laptop.processes import Supervisor
from tests.support.tiny_workload import document, write_workload

pytestmark = pytest.mark.stack
SERVER = Postgres(5432, "not used: only the secret's text is made of it")
WITHOUT_TABLES = {"tables": ..., "database": ..., "joins": ...}
FEATURES = 'FEATURES = {"price": "number"}\ndef features(record): return {"price": record["price"]}\n'


@pytest.fixture(scope="module")
def config() -> Iterator[LaptopConfig]:
    """The settings of a local cloud of the module's own."""
    with tempfile.TemporaryDirectory(prefix="nightjar-test-") as run:
        made = LaptopConfig(
            home=ROOT / ".nightjar", run=Path(run), cloud_port=free_port(), service_port=free_port(following=5)
        )
        supervisor = Supervisor(made.state)
        try:
            cloud.start(made, supervisor)
            yield made
        finally:
            supervisor.stop(cloud.NAME)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the bootstrap finds its workloads: flights alone."""
    shutil.copytree(Path(str(files("include.workloads"))) / "flights", tmp_path / "flights")
    monkeypatch.setattr(bootstrap, "discover", lambda: discover(tmp_path))
    return tmp_path


def start(config: LaptopConfig) -> Resources:
    return bootstrap.create_resources(config, Aws(config), SERVER)


def listeners(config: LaptopConfig) -> dict[str, int]:
    """Workload → the port on which the load balancer listens for it."""
    return services.listening(Aws(config))


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def test_several_workloads(config: LaptopConfig, folders: Path) -> None:
    """One story, because each step continues from the state of the one before it."""
    first = config.service_port
    assert start(config).service_urls == {"flights": f"http://{HOST}:{first}"}

    # A folder that sorts before flights and has no tables, one that does not load, one that AWS refuses.
    write_workload(folders, "ads", document(**WITHOUT_TABLES, stream={"name": "nightjar-ads"}), FEATURES)
    write_workload(folders, "broken", document(owner=...))
    write_workload(folders, "gone", document(database__secret="gone", stream={"name": "nightjar-gone"}))
    secrets = Aws(config).secretsmanager
    secrets.create_secret(Name="gone", SecretString="{}")
    secrets.delete_secret(SecretId="gone")
    found = start(config)
    assert found.service_urls["flights"] == f"http://{HOST}:{first}"
    assert [workload.name for workload in found.workloads] == ["ads", "flights"]
    assert f"{folders}/broken/workload.yaml: owner: Field required" in found.left_out["broken"]
    assert "PutSecretValue" in found.left_out["gone"] and set(found.left_out) == {"broken", "gone"}
    ports = {name: int(url.rsplit(":", 1)[1]) for name, url in found.service_urls.items()}
    assert ports["ads"] != ports["flights"] and accepts(ports["ads"]) and accepts(ports["flights"])

    # Without its folder, a workload keeps its port, and takes no other's.
    shutil.rmtree(folders / "ads")
    assert start(config).service_urls == {"flights": f"http://{HOST}:{first}"}
    assert listeners(config)["ads"] == ports["ads"] != listeners(config)["flights"] == first

    # A changed setting takes effect, also for what has no folder: the port after the first was that of ads.
    moved = config.model_copy(update={"service_port": ports["ads"]})
    assert start(moved).service_urls == {"flights": f"http://{HOST}:{ports['ads']}"}
    after = listeners(config)
    assert after["flights"] == ports["ads"] < after["ads"]
    assert accepts(after["ads"]) and accepts(after["flights"]) and not accepts(first)
    url = Aws(config).ssm.get_parameter(Name=resources.service_url_parameter("ads"))["Parameter"]["Value"]
    assert url == f"http://{HOST}:{after['ads']}"


def test_a_dropped_file_is_a_message_and_a_logged_prediction_a_row(config: LaptopConfig, folders: Path) -> None:
    made, aws = start(config), Aws(config)
    lake = made.settings.lake_bucket
    aws.s3.put_object(Bucket=lake, Key=f"{layout.drops_prefix('flights')}landed/a.csv", Body=b"a\n")
    aws.s3.put_object(Bucket=lake, Key=f"{layout.drops_prefix('fl')}a.csv", Body=b"a\n")
    url = aws.sqs.get_queue_url(QueueName=resources.drops_queue("flights"))["QueueUrl"]
    (message,) = aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"])["detail"]["object"]["key"] == "drops/flights/landed/a.csv"

    line = {"request_id": "r", "features": {"carrier": "UA", "distance": 1.5}, "probability": 0.25, "prediction": 0}
    folder = f"{layout.predictions_prefix('flights')}{datetime.now(UTC):%Y/%m/%d/%H}/"
    aws.s3.put_object(Bucket=lake, Key=f"{folder}x", Body=json.dumps(line).encode() + b"\n")
    table = resources.table_name("flights", PREDICTIONS_TABLE)
    found = query.run(aws, f"select request_id, features['distance'], probability, prediction from {table}")
    assert found.rows == [["r", "1.5", "0.25", "0"]]


def test_without_any_workload_that_loads_nothing_is_started(config: LaptopConfig, folders: Path) -> None:
    (folders / "flights" / "workload.yaml").write_text("owner: nobody\n")
    with pytest.raises(LaptopError, match=r"no workload that can be used(.|\n)*flights/workload\.yaml: description"):
        start(config)


def test_the_deadline_check_tells_of_a_night_that_was_asked_for_once(config: LaptopConfig, folders: Path) -> None:
    start(config)
    aws = Aws(config)

    def told() -> list[str]:
        answer = aws.client("lambda").invoke(FunctionName="nightjar-deadlines")
        value = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, value
        return list(value["flights"])

    assert told() == [], "nobody has asked for a night"
    bounds.allow(config, "flights", date(2013, 3, 1))
    assert told() == [], "it has six hours"
    item = {"pk": "told#flights", "sk": "next", "day": "2013-03-01", "at": "2026-01-01T00:00:00+00:00"}
    aws.dynamodb.put_item(TableName="nightjar-state", Item={name: {"S": text} for name, text in item.items()})
    start(config)  # a second start of the laptop keeps the function and its schedule
    assert told() == ["2013-03-01"]
    assert told() == []
    (target,) = aws.events.list_targets_by_rule(Rule="nightjar-deadlines")["Targets"]
    assert target["Arn"].endswith(":function:nightjar-deadlines")
    assert aws.events.describe_rule(Name="nightjar-deadlines")["ScheduleExpression"] == "rate(15 minutes)"


def test_a_canary_and_a_shadow_come_and_go_with_the_workloads_line(config: LaptopConfig, folders: Path) -> None:
    file, aws = folders / "flights" / "workload.yaml", Aws(config)
    plain = file.read_text()
    service, (live, second) = resources.canary_name("flights"), resources.target_groups("flights")

    def seen() -> tuple[dict[str, int], list[str], set[str]]:
        """The weights of the listener's groups, the states of the canary's service, and the roles' policies."""
        known = aws.elbv2.describe_target_groups()["TargetGroups"]
        names = {group["TargetGroupArn"]: group["TargetGroupName"] for group in known}
        (balancer,) = {arn for group in known if group["TargetGroupName"] == live for arn in group["LoadBalancerArns"]}
        of_port = {one["Port"]: one for one in aws.elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]}
        (action,) = of_port[listeners(config)["flights"]]["DefaultActions"]
        groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{**action, "Weight": 1}]
        found = aws.ecs.describe_services(cluster="nightjar", services=[service])["services"]
        roles = ("nightjar-airflow", "nightjar-sagemaker")
        policies = [name for role in roles for name in aws.iam.list_role_policies(RoleName=role)["PolicyNames"]]
        weights = {names[group["TargetGroupArn"]]: group["Weight"] for group in groups}
        return weights, [one["status"] for one in found], set(policies)

    start(config)
    port = listeners(config)["flights"]
    assert seen() == ({live: 1}, [], {"nightjar"})
    file.write_text(plain + "\ndeploy: {canary: {share: 0.1, minutes: 10}, shadow: {}}\n")
    for _ in range(2):
        start(config)
        assert seen() == ({live: 100, second: 0}, ["ACTIVE"], {"nightjar", "canary", "shadow"})
        assert listeners(config)["flights"] == port
    file.write_text(plain)
    start(config)
    weights, states, policies = seen()
    assert (weights, policies) == ({live: 100}, {"nightjar"})
    assert "ACTIVE" not in states
