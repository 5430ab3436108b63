"""The Glue catalog: tables that are created or updated, partitions that are pointed at files."""

from __future__ import annotations

from typing import Any

import pytest
from nightjar.catalog import CatalogHook

from tests.support.moto_cloud import MotoCloud

pytestmark = pytest.mark.stack
DATABASE = "nightjar"
COLUMNS = [("key", "string"), ("event_time", "timestamp")]
PARTITION_COLUMN = ("event_date", "string")


@pytest.fixture
def catalog(cloud: MotoCloud) -> CatalogHook:
    cloud.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    return CatalogHook(DATABASE)


def table(cloud: MotoCloud) -> dict[str, Any]:
    return cloud.client("glue").get_table(DatabaseName=DATABASE, Name="t")["Table"]


def test_a_table_is_created_once_and_updated_when_its_columns_differ(cloud: MotoCloud, catalog: CatalogHook) -> None:
    for columns in (COLUMNS, COLUMNS, [*COLUMNS, ("f_x", "double")]):
        catalog.ensure_table("t", columns, PARTITION_COLUMN, "s3://b/none")
        assert [(found["Name"], found["Type"]) for found in table(cloud)["StorageDescriptor"]["Columns"]] == columns
    assert table(cloud)["PartitionKeys"] == [{"Name": "event_date", "Type": "string"}]


def test_a_partition_is_created_and_then_pointed_elsewhere(cloud: MotoCloud, catalog: CatalogHook) -> None:
    catalog.ensure_table("t", COLUMNS, PARTITION_COLUMN, "s3://b/none")
    for run in ("r1", "r2", "r2"):
        catalog.point_partition("t", "2013-03-01", COLUMNS, f"s3://b/{run}/", {"run": run})
        (found,) = cloud.client("glue").get_partitions(DatabaseName=DATABASE, TableName="t")["Partitions"]
        assert found["StorageDescriptor"]["Location"] == f"s3://b/{run}/"
        assert found["Parameters"] == {"run": run}
