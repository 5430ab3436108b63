"""Each service's state over a stop and a kill of the server: everything that is described is equal before and after."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ROLE, Cloud
from tests.support.restarts import RestartedCloud

pytestmark = pytest.mark.stack
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
TAGS = [{"Key": "team", "Value": "a"}]
# Makes resources and returns a function that describes them on any server with the same state.
Described = Callable[[Cloud], Any]


def body(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without what is of the request."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


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


def secrets_and_keys(cloud: Cloud) -> Described:
    secrets, ssm, kms = cloud.client("secretsmanager"), cloud.client("ssm"), cloud.client("kms")
    secrets.create_secret(Name="s", SecretString="1", Tags=TAGS)
    secrets.put_secret_value(SecretId="s", SecretString="2")
    for value in ("a", "b"):
        ssm.put_parameter(Name="/p/secure", Value=value, Type="SecureString", Overwrite=True)
    key = kms.create_key(Description="d", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/k", TargetKeyId=key)
    kms.enable_key_rotation(KeyId=key)
    signing = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    curve = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    encrypted = kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
    data_key = kms.generate_data_key(KeyId="alias/k", KeySpec="AES_256")
    signature = kms.sign(KeyId=signing, Message=b"m", SigningAlgorithm="RSASSA_PSS_SHA_256")["Signature"]

    def describe(cloud: Cloud) -> Any:
        secrets, ssm, kms = cloud.client("secretsmanager"), cloud.client("ssm"), cloud.client("kms")
        assert kms.decrypt(CiphertextBlob=encrypted)["Plaintext"] == b"text"
        assert kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"] == data_key["Plaintext"]
        assert kms.verify(KeyId=signing, Message=b"m", Signature=signature, SigningAlgorithm="RSASSA_PSS_SHA_256")[
            "SignatureValid"
        ]
        return (
            body(secrets.get_secret_value(SecretId="s")),
            body(secrets.get_secret_value(SecretId="s", VersionStage="AWSPREVIOUS")),
            [entry["Tags"] for entry in secrets.list_secrets()["SecretList"]],
            ssm.get_parameter_history(Name="/p/secure", WithDecryption=True)["Parameters"],
            [kms.describe_key(KeyId=each)["KeyMetadata"] for each in (key, signing, curve)],
            kms.get_public_key(KeyId=signing)["PublicKey"],
            kms.get_public_key(KeyId=curve)["PublicKey"],
            kms.list_aliases()["Aliases"],
            kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"],
        )

    return describe


def identities(cloud: Cloud) -> Described:
    iam, sts = cloud.client("iam"), cloud.client("sts")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, Tags=TAGS)
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=POLICY)
    managed = iam.create_policy(PolicyName="m", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=managed)
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    minted = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="session")["Credentials"]

    def who(cloud: Cloud, key_id: str, secret: str, token: str | None = None) -> dict[str, Any]:
        client = cloud.client("sts", aws_access_key_id=key_id, aws_secret_access_key=secret, aws_session_token=token)
        return body(client.get_caller_identity())

    def describe(cloud: Cloud) -> Any:
        iam = cloud.client("iam")
        role = iam.get_role(RoleName="r")["Role"]
        role.pop("RoleLastUsed", None)  # this function uses the role
        return (
            role,
            body(iam.get_role_policy(RoleName="r", PolicyName="p")),
            iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"],
            iam.get_policy(PolicyArn=managed)["Policy"],
            iam.get_group(GroupName="g")["Users"],
            who(cloud, minted["AccessKeyId"], minted["SecretAccessKey"], minted["SessionToken"]),
            who(cloud, key["AccessKeyId"], key["SecretAccessKey"])["Arn"],
        )

    return describe


def messages(cloud: Cloud) -> Described:
    sqs, sns, events = cloud.client("sqs"), cloud.client("sns"), cloud.client("events")
    queue = sqs.create_queue(QueueName="q", tags={"a": "b"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="t", Tags=TAGS)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Message="through the topic")
    sqs.send_message(QueueUrl=queue, MessageBody="direct")
    in_flight = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=600)["Messages"]
    assert [message["Body"] for message in in_flight] == ["through the topic"]
    events.put_rule(Name="rule", EventPattern=json.dumps({"source": ["s"]}))
    events.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": arn}])

    def describe(cloud: Cloud) -> Any:
        sqs, sns, events = cloud.client("sqs"), cloud.client("sns"), cloud.client("events")
        url = sqs.get_queue_url(QueueName="q")["QueueUrl"].rsplit("/", 2)[-2:]
        return (
            url,
            sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"],
            sqs.list_queue_tags(QueueUrl=queue)["Tags"],
            sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"][0]["Body"],
            sns.get_topic_attributes(TopicArn=topic)["Attributes"],
            sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"],
            events.list_rules()["Rules"],
            events.list_targets_by_rule(Rule="rule")["Targets"],
        )

    return describe


def monitoring(cloud: Cloud) -> Described:
    logs, metrics = cloud.client("logs"), cloud.client("cloudwatch")
    logs.create_log_group(logGroupName="/g", tags={"a": "b"})
    logs.put_retention_policy(logGroupName="/g", retentionInDays=7)
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    now = int(time.time() * 1000)  # older ones than two weeks are not taken
    for number in range(3):
        event = {"timestamp": now + number, "message": f"m{number}"}
        logs.put_log_events(logGroupName="/g", logStreamName="s", logEvents=[event])
    assert len(logs.get_log_events(logGroupName="/g", logStreamName="s")["events"]) == 3
    dimensions = [{"Name": "a", "Value": "b"}]
    metrics.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 2.0, "Dimensions": dimensions}])

    def describe(cloud: Cloud) -> Any:
        logs, metrics = cloud.client("logs"), cloud.client("cloudwatch")
        return (
            logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"],
            logs.get_log_events(logGroupName="/g", logStreamName="s", startFromHead=True)["events"],
            logs.filter_log_events(logGroupName="/g")["events"],
            metrics.list_metrics(Namespace="n")["Metrics"],
        )

    return describe


def networks(cloud: Cloud) -> Described:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
        "UserIdGroupPairs": [{"GroupId": group, "Description": "own"}],
    }
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    ec2.create_tags(Resources=[vpc, subnet], Tags=TAGS)

    def describe(cloud: Cloud) -> Any:
        ec2 = cloud.client("ec2")
        return (
            ec2.describe_vpcs()["Vpcs"],
            ec2.describe_subnets()["Subnets"],
            ec2.describe_security_groups()["SecurityGroups"],
            ec2.describe_security_group_rules()["SecurityGroupRules"],
            ec2.describe_route_tables()["RouteTables"],
            ec2.describe_tags()["Tags"],
        )

    return describe


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


def others(cloud: Cloud) -> Described:
    ecr, athena, firehose = cloud.client("ecr"), cloud.client("athena"), cloud.client("firehose")
    scaling = cloud.client("application-autoscaling")
    ecr.create_repository(repositoryName="repository", tags=TAGS)
    athena.create_work_group(Name="w", Configuration={"ResultConfiguration": {"OutputLocation": "s3://b/"}}, Tags=TAGS)
    athena.create_named_query(Name="n", Database="d", QueryString="SELECT 1", WorkGroup="w")
    destination = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"}
    firehose.create_delivery_stream(DeliveryStreamName="f", ExtendedS3DestinationConfiguration=destination, Tags=TAGS)
    target = {"ServiceNamespace": "dynamodb", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    scaling.register_scalable_target(**target, ResourceId="table/t", MinCapacity=1, MaxCapacity=2)

    def describe(cloud: Cloud) -> Any:
        ecr, athena, firehose = cloud.client("ecr"), cloud.client("athena"), cloud.client("firehose")
        queries = athena.list_named_queries(WorkGroup="w")["NamedQueryIds"]
        return (
            ecr.describe_repositories()["repositories"],
            athena.get_work_group(WorkGroup="w")["WorkGroup"]["Configuration"],  # moto answers CreationTime with now
            [athena.get_named_query(NamedQueryId=query)["NamedQuery"] for query in queries],
            firehose.describe_delivery_stream(DeliveryStreamName="f")["DeliveryStreamDescription"],
            cloud.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="dynamodb")[
                "ScalableTargets"
            ],
            cloud.client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"],
        )

    return describe


SERVICES = (
    dynamodb, kinesis, glue, registry, secrets_and_keys, identities, messages, monitoring, networks, databases, others,
)  # fmt: skip


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Any]]]:
    """What each service describes: before, after a stop, and after a kill."""
    with RestartedCloud(tmp_path_factory.mktemp("restarted")) as server:
        described = [make(server.cloud) for make in SERVICES]
        answers: dict[str, list[Any]] = {
            make.__name__: [describe(server.cloud)] for make, describe in zip(SERVICES, described, strict=True)
        }
        for number in (signal.SIGTERM, signal.SIGKILL):
            cloud = server.restart(number)
            for make, describe in zip(SERVICES, described, strict=True):
                answers[make.__name__].append(describe(cloud))
        yield answers


@pytest.mark.parametrize("service", [make.__name__ for make in SERVICES])
def test_a_service_describes_the_same_before_and_after(restarted: dict[str, list[Any]], service: str) -> None:
    before, after_stop, after_kill = restarted[service]
    assert after_stop == before
    assert after_kill == before


def test_a_change_after_a_restart_is_kept(tmp_path: Path) -> None:
    with RestartedCloud(tmp_path) as server:
        describe = [make(server.cloud) for make in (glue, dynamodb, kinesis)]
        cloud = server.restart(signal.SIGKILL)
        cloud.client("glue").delete_partition(DatabaseName="d", TableName="x", PartitionValues=["7"])
        cloud.client("dynamodb").delete_item(TableName="t", Key={"p": {"S": "tx"}, "r": {"N": "1"}})
        cloud.client("kinesis").put_record(StreamName="k", Data=b"late", PartitionKey="late")
        cloud.client("kinesis").merge_shards(
            StreamName="k", ShardToMerge="shardId-000000000002", AdjacentShardToMerge="shardId-000000000003"
        )
        before = [each(cloud) for each in describe]
        cloud = server.restart(signal.SIGKILL)
        assert [each(cloud) for each in describe] == before
