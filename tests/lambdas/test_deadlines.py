"""The deadline check reads a real state table and model registry, with its own role, and tells of a night once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from include.lake import resources, state_keys
from infra.lambdas.deadlines import main
from infra.lambdas.deadlines.main import CheckError, Settings, check
from infra.lambdas.deadlines.nights import Schedule
from infra.lambdas.deadlines.told import CLAIM
from infra.laptop.bootstrap.data import ALERTS_TOPIC_ARN
from infra.laptop.bootstrap.definitions import definition
from infra.laptop.iam.record import Provoked
from tests.support.alerts import Alerts
from tests.support.iam_records import provoking
from tests.support.localcloud import Cloud
from tests.support.night_schedules import schedule
from tests.support.policed_roles import UseRole

pytestmark = pytest.mark.stack

TABLE = definition("state_table")["TableName"]
ROLE = "nightjar-deadlines"
DAY = date(2026, 3, 1)
BEFORE, DUE = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 2, 8, tzinfo=UTC)
SETTINGS = Settings(TABLE, ALERTS_TOPIC_ARN, "docs/runbooks/night-deadline.md")
PLAN = schedule(start="2026-01-01")


@pytest.fixture(scope="module")
def alerts(cloud: Cloud) -> Alerts:
    """What was published."""
    return Alerts(cloud, ALERTS_TOPIC_ARN)


@pytest.fixture(autouse=True)
def role(use_role: UseRole) -> dict[str, str]:
    """The function's role, whose credentials the environment has; its keys."""
    return use_role("deadlines")


@pytest.fixture
def workload(cloud: Cloud) -> str:
    """A new workload, which the check saw the day before its night."""
    name = f"rides-{uuid.uuid4().hex[:8]}"
    cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName=resources.model_group(name))
    run(name, BEFORE)
    return name


def run(workload: str, now: datetime, plan: Schedule = PLAN, settings: Settings = SETTINGS) -> list[str]:
    """Checks the workload; returns the nights that were told of."""
    return check({workload: plan}, settings, now)[workload]


def put(cloud: Cloud, key: tuple[str, str], **item: Any) -> None:
    values = {"pk": key[0], "sk": key[1], **item}
    serialize = TypeSerializer().serialize
    cloud.client("dynamodb").put_item(TableName=TABLE, Item={name: serialize(value) for name, value in values.items()})


def put_day(cloud: Cloud, workload: str, status: str = "published", day: date = DAY) -> None:
    put(cloud, state_keys.day_key(workload, day), status=status)


def register(cloud: Cloud, workload: str, status: str = "Approved", day: date = DAY, backfilled: str = "false") -> None:
    image = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/nightjar/training@sha256:" + "0" * 64}
    types = {"SupportedContentTypes": ["application/json"], "SupportedResponseMIMETypes": ["application/json"]}
    cloud.client("sagemaker").create_model_package(
        ModelPackageGroupName=resources.model_group(workload),
        InferenceSpecification={"Containers": [image], **types},
        ModelApprovalStatus=status,
        CustomerMetadataProperties={"day": day.isoformat(), "backfilled": backfilled},
    )


def go_live(cloud: Cloud, workload: str, version: int, **fields: Any) -> None:
    put(cloud, state_keys.live_key(workload), version=version, history=[version], rolled_back={}, **fields)


def test_a_night_that_nothing_has_begun_is_told_of_once(workload: str, alerts: Alerts) -> None:
    assert run(workload, DUE - timedelta(minutes=1)) == []
    assert run(workload, DUE) == ["2026-03-01"]
    assert run(workload, DUE) == run(workload, DUE + timedelta(hours=23)) == []
    message = alerts.of(workload) or ""
    assert alerts.subject(workload) == f"Nightjar: {workload}: night of 2026-03-01 has not ended"
    assert "Night:    2026-03-01. It was due 2026-03-02 08:00 UTC." in message
    assert "Day 2026-03-01 is not published." in message and f"runs of {workload}_process" in message
    assert message.endswith("Runbook: docs/runbooks/night-deadline.md")


Step = Callable[[Cloud, str], None]


@pytest.mark.parametrize(
    ("missing", "steps"),
    [
        ("no model was decided on", [put_day]),
        ("no model was decided on", [put_day, lambda cloud, name: register(cloud, name, day=DAY - timedelta(days=1))]),
        ("Version 1 is approved, but version none is live", [put_day, register]),
    ],
)
def test_it_says_what_is_missing(cloud: Cloud, workload: str, alerts: Alerts, missing: str, steps: list[Step]) -> None:
    for step in steps:
        step(cloud, workload)
    assert run(workload, DUE) == ["2026-03-01"]
    assert missing in (alerts.of(workload) or "")


@pytest.mark.parametrize(
    "steps",
    [
        [put_day, register, lambda cloud, name: go_live(cloud, name, 1)],
        [put_day, register, lambda cloud, name: go_live(cloud, name, 2)],
        [put_day, lambda cloud, name: register(cloud, name, "Rejected")],
        [put_day, lambda cloud, name: register(cloud, name, "PendingManualApproval")],
        [put_day, lambda cloud, name: register(cloud, name, backfilled="true")],
        [put_day, register, lambda cloud, name: go_live(cloud, name, 0, hold=True)],
        [lambda cloud, name: put_day(cloud, name, "refused")],  # the red run told
    ],
    ids=["live", "a newer one is live", "rejected", "a person decides", "older data", "on hold", "refused day"],
)
def test_a_night_that_has_ended_tells_nobody(cloud: Cloud, workload: str, alerts: Alerts, steps: list[Step]) -> None:
    for step in steps:
        step(cloud, workload)
    assert run(workload, DUE) == []
    assert alerts.of(workload) is None


def test_where_a_person_deploys_an_approved_version_may_wait(cloud: Cloud, workload: str) -> None:
    put_day(cloud, workload)
    register(cloud, workload)
    assert run(workload, DUE, replace(PLAN, deploys=False)) == []


def test_without_a_retrain_the_published_day_is_enough(cloud: Cloud, workload: str) -> None:
    weekly = replace(PLAN, retrain="0 2 * * tue")  # 2 March 2026 is a Monday
    put_day(cloud, workload)
    assert run(workload, DUE, weekly) == []


def test_nights_from_before_the_check_first_ran_are_nobodys_concern(workload: str) -> None:
    assert run(f"{workload}-new", DUE + timedelta(hours=1)) == []


def test_several_nights_are_told_of_in_one_message(workload: str, alerts: Alerts) -> None:
    assert run(workload, DUE + timedelta(days=2)) == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert alerts.subject(workload).endswith("night of 3 nights has not ended")


def test_a_message_that_could_not_be_published_is_sent_later(workload: str, alerts: Alerts) -> None:
    gone = replace(SETTINGS, topic=ALERTS_TOPIC_ARN.replace("nightjar-alerts", "nightjar-gone"))
    with pytest.raises(CheckError, match=workload):
        run(workload, DUE, settings=gone)
    assert run(workload, DUE) == [], "another check may be publishing"
    assert run(workload, DUE + CLAIM + timedelta(seconds=1)) == ["2026-03-01"]
    assert alerts.of(workload)


def test_a_workload_that_cannot_be_read_stops_no_other_and_fails_the_check(
    cloud: Cloud, workload: str, alerts: Alerts
) -> None:
    broken = replace(PLAN, retrain="every night")
    with pytest.raises(CheckError, match="broken: ValueError"):
        check({"broken": broken, workload: PLAN}, SETTINGS, DUE)
    assert alerts.of(workload)


def test_replayed_nights_are_due_after_the_one_before_has_ended(cloud: Cloud, workload: str, alerts: Alerts) -> None:
    """A year is replayed in hours: all of its nights are overdue by the clock, and none has had its turn."""
    last = DAY + timedelta(days=300)
    settings = replace(SETTINGS, asked={workload: (DAY, last)})
    now = datetime(2030, 1, 1, tzinfo=UTC)
    assert run(workload, now, settings=settings) == []
    put_day(cloud, workload)
    register(cloud, workload, "Rejected")
    assert run(workload, now + timedelta(hours=7), settings=settings) == [], "2 March is next since now"
    assert run(workload, now + timedelta(hours=12), settings=settings) == []
    assert run(workload, now + timedelta(hours=13), settings=settings) == ["2026-03-02"]
    assert run(workload, now + timedelta(days=30), settings=settings) == []
    assert "It had 6:00:00 since the night before it." in (alerts.of(workload) or "")


def test_replayed_nights_that_have_all_ended_wait_for_nothing(cloud: Cloud, workload: str) -> None:
    put_day(cloud, workload)
    register(cloud, workload, "Rejected")
    now, one = datetime(2030, 1, 1, tzinfo=UTC), replace(SETTINGS, asked={workload: (DAY, DAY)})
    assert run(workload, now, settings=one) == run(workload, now + timedelta(days=30), settings=one) == []
    more = replace(SETTINGS, asked={workload: (DAY, DAY + timedelta(days=1))})
    later = now + timedelta(days=30, minutes=15)  # the next check
    assert run(workload, later, settings=more) == [], "a person has just asked for another night"
    assert run(workload, later + timedelta(hours=6), settings=more) == ["2026-03-02"]


def test_the_environment_is_read(tmp_path: Path) -> None:
    environment = {"STATE_TABLE": "t", "TOPIC_ARN": "a", "RUNBOOK": "r"}
    assert Settings.read(environment) == Settings("t", "a", "r")
    file = tmp_path / "nights.json"
    assert Settings.read({**environment, "NIGHTS_FILE": str(file)}).asked == {}, "nobody has asked for a night yet"
    file.write_text('{"rides": {"first": "2013-03-01", "last": "2013-03-02"}}')
    asked = Settings.read({**environment, "NIGHTS_FILE": str(file)}).asked
    assert asked == {"rides": (date(2013, 3, 1), date(2013, 3, 2))}


def test_a_workload_for_whose_nights_nobody_has_asked_is_not_looked_at(workload: str) -> None:
    assert run(workload, DUE + timedelta(days=30), settings=replace(SETTINGS, asked={})) == []


def test_its_role_writes_no_live_pointer(cloud: Cloud, role: dict[str, str], provoked: list[Provoked]) -> None:
    with provoking(provoked, ROLE, "dynamodb:DeleteItem"), pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("dynamodb", **role).delete_item(TableName=TABLE, Key={"pk": {"S": "a"}, "sk": {"S": "b"}})


def test_it_repeats_the_names_of_the_product(cloud: Cloud, workload: str) -> None:
    assert state_keys.told_partition_key("w") == "told#w"
    assert state_keys.live_key("w") == ("live#w", "pointer")
    assert resources.model_group("w") == "nightjar-w"
    assert main.NAMESPACE == "Nightjar/Platform"
