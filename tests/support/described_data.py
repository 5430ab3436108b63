"""Services that keep data, and what they describe of it: tables, streams, the catalog, the registry, databases."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.described import TAGS, Described, body
from tests.support.localcloud import ROLE, Cloud


def dynamodb(cloud: Cloud) -> Described:
    client = cloud.client("dynamodb")
    keys = [("p", "HASH", "S"), ("r", "RANGE", "N")]
    client.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        Tags=TAGS,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        KeySchema=[{"AttributeName": name, "KeyType": role} for name, role, _ in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, _, kind in keys],
    )
    for number in range(30):
        item = {
            "p": {"S": f"p{number % 3}"},
            "r": {"N": str(number)},
            "v": {"M": {"l": {"L": [{"B": b"x"}, {"NULL": True}]}}},
        }
        client.put_item(TableName="t", Item=item)
    key = {"p": {"S": "p1"}, "r": {"N": "1"}}
    client.update_item(
        TableName="t", Key=key, UpdateExpression="SET v = :v", ExpressionAttributeValues={":v": {"S": "n"}}
    )
    client.delete_item(TableName="t", Key={"p": {"S": "p2"}, "r": {"N": "2"}})
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.put_item(TableName="t", Item={**key, "v": {"S": "never"}}, ConditionExpression="attribute_not_exists(p)")
    client.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "t", "Item": {"p": {"S": "tx"}, "r": {"N": "1"}}}},
            {"Delete": {"TableName": "t", "Key": {"p": {"S": "p0"}, "r": {"N": "0"}}}},
        ]
    )
    with pytest.raises(ClientError, match="TransactionCanceled"):
        client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "t", "Item": {"p": {"S": "rolled back"}, "r": {"N": "1"}}}},
                {"ConditionCheck": {"TableName": "t", "Key": key, "ConditionExpression": "attribute_not_exists(p)"}},
            ]
        )
    client.update_time_to_live(TableName="t", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})

    def describe(cloud: Cloud) -> Any:
        client, streams = cloud.client("dynamodb"), cloud.client("dynamodbstreams")
        table = client.describe_table(TableName="t")["Table"]
        shard = streams.describe_stream(StreamArn=table["LatestStreamArn"])["StreamDescription"]["Shards"][0]["ShardId"]
        iterator = streams.get_shard_iterator(
            StreamArn=table["LatestStreamArn"], ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return (
            table,
            client.scan(TableName="t")["Items"],
            client.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"],
            client.describe_time_to_live(TableName="t")["TimeToLiveDescription"],
            streams.get_records(ShardIterator=iterator)["Records"],
        )

    return describe


def kinesis(cloud: Cloud) -> Described:
    client = cloud.client("kinesis")
    client.create_stream(StreamName="k", ShardCount=2)
    client.add_tags_to_stream(StreamName="k", Tags={"team": "a"})
    records = [{"Data": str(number).encode(), "PartitionKey": str(number)} for number in range(200)]
    client.put_records(StreamName="k", Records=records)
    client.split_shard(StreamName="k", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126))
    client.put_records(StreamName="k", Records=records)
    iterators = [
        client.get_shard_iterator(StreamName="k", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")[
            "ShardIterator"
        ]
        for shard in client.list_shards(StreamName="k")["Shards"]
    ]

    def describe(cloud: Cloud) -> Any:
        client = cloud.client("kinesis")
        return (
            client.describe_stream(StreamName="k")["StreamDescription"],
            client.list_shards(StreamName="k")["Shards"],
            client.list_tags_for_stream(StreamName="k")["Tags"],
            # The iterators from before the restart go on, and so do those that they return.
            [body(client.get_records(ShardIterator=iterator, Limit=7)) for iterator in iterators],
        )

    return describe


def glue(cloud: Cloud) -> Described:
    client = cloud.client("glue")
    client.create_database(DatabaseInput={"Name": "d", "Description": "text"})
    columns = [{"Name": "c", "Type": "string"}]
    table = {
        "Name": "x",
        "PartitionKeys": [{"Name": "day", "Type": "string"}],
        "StorageDescriptor": {"Columns": columns},
    }
    client.create_table(DatabaseName="d", TableInput=table)
    client.update_table(DatabaseName="d", TableInput={**table, "Parameters": {"a": "b"}})

    def partition(day: int, place: str = "s3://b") -> dict[str, Any]:
        return {"Values": [str(day)], "StorageDescriptor": {"Location": f"{place}/{day}", "Columns": columns}}

    client.batch_create_partition(DatabaseName="d", TableName="x", PartitionInputList=[partition(n) for n in range(20)])
    client.update_partition(
        DatabaseName="d", TableName="x", PartitionValueList=["3"], PartitionInput=partition(3, "s3://new")
    )
    client.delete_partition(DatabaseName="d", TableName="x", PartitionValues=["5"])
    client.create_job(
        Name="j", Role=ROLE, Command={"Name": "glueetl", "ScriptLocation": "s3://b/s.py"}, Tags={"a": "b"}
    )
    client.create_connection(
        ConnectionInput={"Name": "c", "ConnectionType": "JDBC", "ConnectionProperties": {"HOST": "h"}}
    )

    def describe(cloud: Cloud) -> Any:
        client = cloud.client("glue")
        return (
            client.get_databases()["DatabaseList"],
            client.get_tables(DatabaseName="d")["TableList"],
            client.get_table_versions(DatabaseName="d", TableName="x")["TableVersions"],
            client.get_partitions(DatabaseName="d", TableName="x")["Partitions"],
            client.get_job(JobName="j")["Job"],
            client.get_tags(ResourceArn="arn:aws:glue:us-east-1:123456789012:job/j")["Tags"],
            client.get_connections()["ConnectionList"],
        )

    return describe


def registry(cloud: Cloud) -> Described:
    client = cloud.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="g", Tags=TAGS)
    arns = [register_package(client, f"token-{number}") for number in range(5)]
    client.update_model_package(
        ModelPackageArn=arns[2],
        ModelApprovalStatus="Approved",
        ApprovalDescription="good",
        CustomerMetadataProperties={"b": "c"},
    )

    def describe(cloud: Cloud) -> Any:
        client = cloud.client("sagemaker")
        listed = client.list_model_packages(ModelPackageGroupName="g", SortBy="CreationTime")["ModelPackageSummaryList"]
        described = [body(client.describe_model_package(ModelPackageName=p["ModelPackageArn"])) for p in listed]
        group = body(client.describe_model_package_group(ModelPackageGroupName="g"))
        # The same token gives the same package.
        return listed, described, group, register_package(client, "token-4")

    return describe


def register_package(client: Any, token: str) -> str:
    specification = {
        "Containers": [{"Image": "i", "ModelDataUrl": "s3://b/m"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    answer = client.create_model_package(
        ModelPackageGroupName="g",
        ClientToken=token,
        CustomerMetadataProperties={"a": "b"},
        InferenceSpecification=specification,
    )
    return str(answer["ModelPackageArn"])


def databases(cloud: Cloud) -> Described:
    rds = cloud.client("rds")
    cluster = {"DBClusterIdentifier": "c", "Engine": "aurora-postgresql"}
    rds.create_db_cluster(**cluster, MasterUsername="owner", MasterUserPassword="password", EnableHttpEndpoint=True)
    rds.create_db_instance(
        **cluster, DBInstanceIdentifier="i", DBInstanceClass="db.serverless", EnablePerformanceInsights=True
    )
    rds.describe_db_clusters()  # from now on it is available

    def describe(cloud: Cloud) -> Any:
        rds = cloud.client("rds")
        cluster, instance = rds.describe_db_clusters()["DBClusters"][0], rds.describe_db_instances()["DBInstances"][0]
        cluster.pop("LatestRestorableTime")  # now
        instance.pop("LatestRestorableTime")
        return cluster, instance

    return describe
