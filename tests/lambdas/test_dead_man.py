"""The dead-man check reads a real state table and model registry, with its own role, and publishes ages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from include.lake import resources, state_keys
from include.lake.instants import format_instant
from infra.lambdas.dead_man import main
from infra.laptop.bootstrap.definitions import definition
from infra.laptop.iam.record import Provoked
from tests.support.iam_records import provoking
from tests.support.localcloud import Cloud
from tests.support.policed_roles import UseRole

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC).replace(microsecond=0)
TABLE = definition("state_table")["TableName"]
ROLE = "nightjar-dead-man"


@pytest.fixture(autouse=True)
def role(use_role: UseRole) -> dict[str, str]:
    """The function's role, whose credentials the environment has; its keys."""
    return use_role("dead-man")


def put_day(cloud: Cloud, workload: str, day: str, status: str, planned_at: str) -> None:
    pk, sk = state_keys.day_key(workload, datetime.fromisoformat(day).date())
    item = {"pk": pk, "sk": sk, "status": status, "planned_at": planned_at}
    cloud.client("dynamodb").put_item(TableName=TABLE, Item={name: {"S": value} for name, value in item.items()})


def ago(hours: float) -> str:
    return format_instant(NOW - timedelta(hours=hours))


def register(cloud: Cloud, workload: str) -> datetime:
    """Registers a model; returns when."""
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=resources.model_group(workload))
    image = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/nightjar/training@sha256:" + "0" * 64}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=resources.model_group(workload),
        InferenceSpecification={
            "Containers": [image],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    created: datetime = sagemaker.describe_model_package(ModelPackageName=arn)["CreationTime"]
    return created


def data(cloud: Cloud, workload: str, metric: str) -> list[float]:
    """The values of a metric that CloudWatch has."""
    answer = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=main.NAMESPACE,
        MetricName=metric,
        Dimensions=[{"Name": "Workload", "Value": workload}],
        StartTime=NOW - timedelta(hours=1),
        EndTime=NOW + timedelta(hours=1),
        Period=7200,
        Statistics=["Maximum"],
    )
    return [point["Maximum"] for point in answer["Datapoints"]]


def test_it_publishes_how_long_ago_a_day_was_published_and_a_model_registered(cloud: Cloud) -> None:
    put_day(cloud, "rides", "2026-03-01", "published", ago(30))
    created = register(cloud, "rides")
    ages = main.check(TABLE, ["rides"], NOW)
    assert ages[f"rides {main.PUBLISHED}"] == pytest.approx(30)
    assert ages[f"rides {main.RETRAINED}"] == pytest.approx((NOW - created).total_seconds() / 3600)
    assert data(cloud, "rides", main.PUBLISHED) == pytest.approx([30])


def test_the_newest_publication_counts_whatever_its_day_and_a_refusal_does_not(cloud: Cloud) -> None:
    put_day(cloud, "trips", "2026-03-01", "published", ago(2))  # again, with late events
    put_day(cloud, "trips", "2026-03-02", "published", ago(26))
    put_day(cloud, "trips", "2026-03-03", "refused", ago(1))
    register(cloud, "trips")
    assert main.check(TABLE, ["trips"], NOW)[f"trips {main.PUBLISHED}"] == pytest.approx(2)


def test_what_was_never_recorded_has_no_datum_so_that_the_alarm_fires(cloud: Cloud) -> None:
    cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName=resources.model_group("new"))
    assert main.check(TABLE, ["new"], NOW) == {}
    assert data(cloud, "new", main.PUBLISHED) == []


def test_a_workload_that_cannot_be_read_stops_no_other_and_fails_the_check(cloud: Cloud) -> None:
    put_day(cloud, "broken", "2026-03-01", "published", "yesterday")
    put_day(cloud, "sound", "2026-03-01", "published", ago(3))
    register(cloud, "sound")
    with pytest.raises(main.CheckError, match=f"broken {main.PUBLISHED}: ValueError"):
        main.check(TABLE, ["broken", "sound"], NOW)
    assert data(cloud, "sound", main.PUBLISHED) == pytest.approx([3])


def test_the_handler_reads_its_environment(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    put_day(cloud, "handled", "2026-03-01", "published", ago(5))
    register(cloud, "handled")
    monkeypatch.setenv("STATE_TABLE", TABLE)
    monkeypatch.setenv("WORKLOADS", json.dumps(["handled"]))
    assert main.handler({}, None)[f"handled {main.PUBLISHED}"] >= 5


def test_its_role_only_reads_the_state_table(cloud: Cloud, role: dict[str, str], provoked: list[Provoked]) -> None:
    with provoking(provoked, ROLE, "dynamodb:PutItem"), pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("dynamodb", **role).put_item(TableName=TABLE, Item={"pk": {"S": "a"}, "sk": {"S": "b"}})


def test_its_role_publishes_in_its_own_namespace_only(
    cloud: Cloud, role: dict[str, str], provoked: list[Provoked]
) -> None:
    with provoking(provoked, ROLE, "cloudwatch:PutMetricData"), pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("cloudwatch", **role).put_metric_data(
            Namespace="Nightjar/Serving", MetricData=[{"MetricName": main.PUBLISHED, "Value": 0}]
        )


def test_it_repeats_the_names_of_the_layout() -> None:
    assert main.days_key("rides") == state_keys.day_partition_key("rides")
    assert main.model_group("rides") == resources.model_group("rides")
