"""Athena's actions on work groups, data catalogs, named queries, prepared statements and table metadata."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.support.athena import Athena
from tests.support.localcloud import ACCOUNT, REGION, Cloud

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def athena(cloud: Cloud) -> Athena:
    return Athena(cloud, "athena-catalog")


def arn(kind: str, name: str) -> str:
    return f"arn:aws:athena:{REGION}:{ACCOUNT}:{kind}/{name}"


def test_a_work_group_is_changed_tagged_and_deleted(athena: Athena) -> None:
    api = athena.api
    api.create_work_group(Name="round", Description="first", Tags=[{"Key": "a", "Value": "1"}])
    api.update_work_group(
        WorkGroup="round",
        Description="second",
        State="DISABLED",
        ConfigurationUpdates={
            "EnforceWorkGroupConfiguration": False,
            "BytesScannedCutoffPerQuery": 10_000_000,
            "ResultConfigurationUpdates": {"OutputLocation": "s3://athena-catalog/round/"},
        },
    )
    found = api.get_work_group(WorkGroup="round")["WorkGroup"]
    assert (found["Description"], found["State"]) == ("second", "DISABLED")
    assert found["Configuration"]["ResultConfiguration"] == {"OutputLocation": "s3://athena-catalog/round/"}
    assert found["Configuration"]["BytesScannedCutoffPerQuery"] == 10_000_000
    with pytest.raises(ClientError, match="round is disabled"):
        athena.start("SELECT 1", WorkGroup="round")
    api.update_work_group(
        WorkGroup="round",
        ConfigurationUpdates={
            "RemoveBytesScannedCutoffPerQuery": True,
            "ResultConfigurationUpdates": {"RemoveOutputLocation": True},
        },
    )
    found = api.get_work_group(WorkGroup="round")["WorkGroup"]["Configuration"]
    assert found["ResultConfiguration"] == {} and "BytesScannedCutoffPerQuery" not in found
    api.tag_resource(ResourceARN=arn("workgroup", "round"), Tags=[{"Key": "b", "Value": "2"}])
    api.untag_resource(ResourceARN=arn("workgroup", "round"), TagKeys=["a"])
    assert api.list_tags_for_resource(ResourceARN=arn("workgroup", "round"))["Tags"] == [{"Key": "b", "Value": "2"}]
    api.create_named_query(Name="q", Database="lake", QueryString="SELECT 1", WorkGroup="round")
    with pytest.raises(ClientError, match="WorkGroup round is not empty"):
        api.delete_work_group(WorkGroup="round")
    api.delete_work_group(WorkGroup="round", RecursiveDeleteOption=True)
    with pytest.raises(ClientError, match="WorkGroup round is not found"):
        api.get_work_group(WorkGroup="round")
    with pytest.raises(ClientError, match="primary"):
        api.delete_work_group(WorkGroup="primary")


def test_a_data_catalog_is_changed_tagged_and_deleted(athena: Athena) -> None:
    api = athena.api
    assert api.get_data_catalog(Name="AwsDataCatalog")["DataCatalog"]["Type"] == "GLUE"
    tags = [{"Key": "a", "Value": "1"}]
    api.create_data_catalog(Name="extra", Type="GLUE", Parameters={"catalog-id": ACCOUNT}, Tags=tags)
    api.update_data_catalog(Name="extra", Type="GLUE", Description="d", Parameters={"catalog-id": "111122223333"})
    found = api.get_data_catalog(Name="extra")["DataCatalog"]
    assert (found["Description"], found["Parameters"]) == ("d", {"catalog-id": "111122223333"})
    assert api.list_tags_for_resource(ResourceARN=arn("datacatalog", "extra"))["Tags"] == tags
    listed = [one["CatalogName"] for one in api.list_data_catalogs()["DataCatalogsSummary"]]
    assert listed == ["AwsDataCatalog", "extra"]
    api.delete_data_catalog(Name="extra")
    with pytest.raises(ClientError, match="InvalidRequestException"):
        api.get_data_catalog(Name="extra")


def test_a_named_query_is_changed_and_deleted(athena: Athena) -> None:
    api = athena.api
    query = {"Name": "q", "Database": "lake", "QueryString": "SELECT 1", "Description": "d"}
    query_id = api.create_named_query(**query)["NamedQueryId"]
    api.update_named_query(NamedQueryId=query_id, Name="r", QueryString="SELECT 2")
    expected = {**query, "Name": "r", "QueryString": "SELECT 2", "NamedQueryId": query_id, "WorkGroup": "primary"}
    assert api.get_named_query(NamedQueryId=query_id)["NamedQuery"] == expected
    answer = api.batch_get_named_query(NamedQueryIds=[query_id, "nothing"])
    assert answer["NamedQueries"] == [expected]
    assert [one["NamedQueryId"] for one in answer["UnprocessedNamedQueryIds"]] == ["nothing"]
    api.delete_named_query(NamedQueryId=query_id)
    with pytest.raises(ClientError, match="was not found"):
        api.get_named_query(NamedQueryId=query_id)


def test_runtime_statistics_are_those_of_the_query(athena: Athena) -> None:
    done = athena.ok("SELECT 1")
    found = athena.api.get_query_runtime_statistics(QueryExecutionId=done["QueryExecutionId"])["QueryRuntimeStatistics"]
    total = done["Statistics"]["TotalExecutionTimeInMillis"]
    assert found["Timeline"]["TotalExecutionTimeInMillis"] == total
    assert found["Rows"] == {"InputBytes": 0, "OutputRows": 1} and "OutputStage" not in found


def test_tables_and_databases_are_described(athena: Athena) -> None:
    athena.table("described", "a int COMMENT 'c', b string", "STORED AS PARQUET", "day date")
    found = athena.api.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="lake", TableName="described")
    assert found["TableMetadata"]["Columns"] == [
        {"Name": "a", "Type": "int", "Comment": "c"},
        {"Name": "b", "Type": "string"},
    ]
    assert found["TableMetadata"]["PartitionKeys"] == [{"Name": "day", "Type": "date"}]
    listed = athena.api.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="lake")["TableMetadataList"]
    assert "described" in [one["Name"] for one in listed]
    assert "lake" in [one["Name"] for one in athena.api.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]]
    with pytest.raises(ClientError, match="MetadataException"):
        athena.api.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="lake", TableName="nothing")
