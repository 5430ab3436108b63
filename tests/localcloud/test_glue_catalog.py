"""The Glue catalog: the behaviour that publishing a day relies on."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack
NAMES = {"DatabaseName": "catalog", "TableName": "flights"}


def partition(day: str, run: str) -> dict[str, Any]:
    location = f"s3://lake/staging/{run}/event_date={day}/"
    return {
        "Values": [day],
        "StorageDescriptor": {"Location": location},
        "Parameters": {"run": run, "fingerprint": "f"},
    }


@pytest.fixture(scope="module")
def glue(cloud: Cloud) -> Any:
    glue = cloud.client("glue")
    glue.create_database(DatabaseInput={"Name": "catalog"})
    glue.create_table(
        DatabaseName="catalog",
        TableInput={
            "Name": "flights",
            "StorageDescriptor": {"Columns": [{"Name": "key", "Type": "string"}], "Location": "s3://lake/"},
            "PartitionKeys": [{"Name": "event_date", "Type": "date"}],
            "Parameters": {"classification": "parquet"},
        },
    )
    return glue


def test_partitions_carry_parameters_and_can_be_moved(glue: Any) -> None:
    glue.create_partition(**NAMES, PartitionInput=partition("2013-03-01", "one"))
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        glue.create_partition(**NAMES, PartitionInput=partition("2013-03-01", "one"))
    glue.update_partition(**NAMES, PartitionValueList=["2013-03-01"], PartitionInput=partition("2013-03-01", "two"))
    found = glue.get_partition(**NAMES, PartitionValues=["2013-03-01"])["Partition"]
    assert found["Parameters"] == {"run": "two", "fingerprint": "f"}
    assert found["StorageDescriptor"]["Location"] == "s3://lake/staging/two/event_date=2013-03-01/"
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.update_partition(**NAMES, PartitionValueList=["1999-01-01"], PartitionInput=partition("1999-01-01", "x"))


def test_batches_report_each_failure(glue: Any) -> None:
    days = [f"2013-04-{day:02d}" for day in range(1, 6)]
    made = glue.batch_create_partition(**NAMES, PartitionInputList=[partition(day, "batch") for day in days])
    assert not made.get("Errors")
    again = glue.batch_create_partition(
        **NAMES, PartitionInputList=[partition(day, "batch") for day in [*days[:1], "2013-04-06"]]
    )
    assert [error["PartitionValues"] for error in again["Errors"]] == [["2013-04-01"]]
    wanted = [{"Values": [day]} for day in [*days, "1999-01-01"]]
    assert len(glue.batch_get_partition(**NAMES, PartitionsToGet=wanted)["Partitions"]) == 5


def test_expressions_choose_partitions(glue: Any) -> None:
    glue.batch_create_partition(
        **NAMES, PartitionInputList=[partition(f"2014-01-{day:02d}", "e") for day in range(1, 11)]
    )
    expression = "event_date >= '2014-01-03' AND event_date < '2014-01-06'"
    pages = glue.get_paginator("get_partitions").paginate(**NAMES, Expression=expression)
    assert [found["Values"][0] for page in pages for found in page["Partitions"]] == [
        "2014-01-03",
        "2014-01-04",
        "2014-01-05",
    ]


def test_a_table_can_be_updated_and_keeps_its_partitions(glue: Any) -> None:
    before = len(glue.get_partitions(**NAMES)["Partitions"])
    table = glue.get_table(DatabaseName="catalog", Name="flights")["Table"]
    columns = [*table["StorageDescriptor"]["Columns"], {"Name": "distance", "Type": "double"}]
    update = {"Name": "flights", "StorageDescriptor": {"Columns": columns}, "PartitionKeys": table["PartitionKeys"]}
    glue.update_table(DatabaseName="catalog", TableInput=update)
    assert glue.get_table(DatabaseName="catalog", Name="flights")["Table"]["StorageDescriptor"]["Columns"] == columns
    assert len(glue.get_partitions(**NAMES)["Partitions"]) == before
    with pytest.raises(ClientError, match="EntityNotFound"):
        glue.get_table(DatabaseName="catalog", Name="none")
