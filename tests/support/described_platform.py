"""Services that data and models need, and what they describe: identities, secrets, messages, logs, networks, others."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.support.described import TAGS, Described, body
from tests.support.localcloud import ROLE, Cloud

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


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
