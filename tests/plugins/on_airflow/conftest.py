"""One real Airflow for the tests of this folder, with jobs of the local cloud."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.laptop.bootstrap.definitions import definition
from infra.localcloud.authorization.operator_key import FILE
from tests.support import ended_dags, triggering_dags
from tests.support.alerts import Alerts
from tests.support.job_clouds import cloud
from tests.support.localcloud import Cloud
from tests.support.parsed_dags import SETTINGS
from tests.support.real_airflow import RealAirflow, running_airflow

__all__ = ["cloud"]

STATE_TABLE: Any = {name: value for name, value in definition("state_table").items() if name[0].isupper()} | {
    "TableName": "state"
}


@pytest.fixture(scope="package")
def alerts(cloud: Cloud) -> Alerts:
    """What was published to the topic of the DAGs."""
    return Alerts(cloud, ended_dags.TOPIC)


@pytest.fixture(scope="package")
def airflow(cloud: Cloud, alerts: Alerts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAirflow]:
    """Airflow with the DAGs of both test modules."""
    dags = tmp_path_factory.mktemp("dags")
    for module in (ended_dags, triggering_dags):
        (dags / f"{module.__name__.rpartition('.')[2]}.py").write_text(module.DAGS)
    cloud.client("s3").create_bucket(Bucket="artifact")
    cloud.client("dynamodb").create_table(**STATE_TABLE)
    cloud.client("s3").create_bucket(Bucket=SETTINGS["NIGHTJAR_ARTIFACT_BUCKET"])
    documents = {**SETTINGS, "AIRFLOW__NIGHTJAR__OPERATOR_KEY_FILE": str(cloud.state / FILE)}
    with running_airflow(tmp_path_factory.mktemp("airflow"), dags, {**cloud.environment(), **documents}) as running:
        yield running
