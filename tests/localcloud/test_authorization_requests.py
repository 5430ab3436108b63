"""infra/localcloud/authorization/requests.py: the IAM actions and resources of requests that boto3 makes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from moto.athena.models import athena_backends
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends

from infra.localcloud.authorization import catalog, requests, tables
from tests.support.authorization_requests import ACCOUNT, REGION, ROLE_ARN, arn, asked

OBJECT = "arn:aws:s3:::lake/raw/a b.json"
PUT = {"Bucket": "lake", "Key": "raw/a b.json"}
CATALOG, DATABASE, TABLE = arn("glue", "catalog"), arn("glue", "database/db"), arn("glue", "table/db/t")
TEMPLATE = {"family": "serving", "containerDefinitions": [{"name": "c", "image": "i", "memory": 1}]}
PASSED = {"RoleArn": ROLE_ARN}
TRAINING = {
    "TrainingJobName": "j",
    "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/k"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 1},
    **PASSED,
}
TUNING = {
    "HyperParameterTuningJobName": "h",
    "HyperParameterTuningJobConfig": {"Strategy": "Random", "ResourceLimits": {"MaxParallelTrainingJobs": 1}},
    "TrainingJobDefinition": {name: TRAINING[name] for name in TRAINING if name != "TrainingJobName"},
}
DELETED = [{"Key": "a&b"}, {"Key": "c", "VersionId": "v"}]
KEYS = {"Keys": [{"k": {"S": "x"}}]}
GROUP = "/aws-glue/jobs/output"
STREAM = arn("logs", f"log-group:{GROUP}:log-stream:run")
CASES: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("s3", "list_buckets", {}, [("s3:ListAllMyBuckets", "*")]),
    ("s3", "list_objects_v2", {"Bucket": "lake"}, [("s3:ListBucket", "arn:aws:s3:::lake")]),
    ("s3", "list_objects", {"Bucket": "lake"}, [("s3:ListBucket", "arn:aws:s3:::lake")]),
    ("s3", "head_bucket", {"Bucket": "lake"}, [("s3:ListBucket", "arn:aws:s3:::lake")]),
    ("s3", "list_object_versions", {"Bucket": "lake"}, [("s3:ListBucketVersions", "arn:aws:s3:::lake")]),
    ("s3", "get_bucket_cors", {"Bucket": "lake"}, [("s3:GetBucketCORS", "arn:aws:s3:::lake")]),
    ("s3", "get_bucket_policy", {"Bucket": "lake"}, [("s3:GetBucketPolicy", "arn:aws:s3:::lake")]),
    ("s3", "delete_bucket_lifecycle", {"Bucket": "lake"}, [("s3:PutLifecycleConfiguration", "arn:aws:s3:::lake")]),
    ("s3", "delete_bucket_inventory_configuration", {"Bucket": "lake", "Id": "i"},
     [("s3:PutInventoryConfiguration", "arn:aws:s3:::lake")]),
    ("s3", "get_object", PUT, [("s3:GetObject", OBJECT)]),
    ("s3", "get_object", {**PUT, "VersionId": "v"}, [("s3:GetObjectVersion", OBJECT)]),
    ("s3", "head_object", PUT, [("s3:GetObject", OBJECT)]),
    ("s3", "put_object", PUT, [("s3:PutObject", OBJECT)]),
    ("s3", "put_object", {**PUT, "Tagging": "a=b", "ACL": "public-read"},
     [("s3:PutObject", OBJECT), ("s3:PutObjectTagging", OBJECT), ("s3:PutObjectAcl", OBJECT)]),
    ("s3", "copy_object", {**PUT, "CopySource": "other/x%20y"},
     [("s3:PutObject", OBJECT), ("s3:GetObject", "arn:aws:s3:::other/x%20y")]),
    ("s3", "copy_object", {**PUT, "CopySource": {"Bucket": "other", "Key": "x y", "VersionId": "v"}},
     [("s3:PutObject", OBJECT), ("s3:GetObjectVersion", "arn:aws:s3:::other/x y")]),
    ("s3", "create_multipart_upload", PUT, [("s3:PutObject", OBJECT)]),
    ("s3", "abort_multipart_upload", {**PUT, "UploadId": "u"}, [("s3:AbortMultipartUpload", OBJECT)]),
    ("s3", "list_parts", {**PUT, "UploadId": "u"}, [("s3:ListMultipartUploadParts", OBJECT)]),
    ("s3", "delete_object", PUT, [("s3:DeleteObject", OBJECT)]),
    ("s3", "delete_objects", {"Bucket": "lake", "Delete": {"Objects": DELETED}},
     [("s3:DeleteObject", "arn:aws:s3:::lake/a&b"), ("s3:DeleteObjectVersion", "arn:aws:s3:::lake/c")]),
    ("s3control", "get_public_access_block", {"AccountId": ACCOUNT}, [("s3:GetAccountPublicAccessBlock", "*")]),
    ("dynamodb", "get_item", {"TableName": "t", "Key": {"k": {"S": "x"}}},
     [("dynamodb:GetItem", arn("dynamodb", "table/t"))]),
    ("dynamodb", "get_item", {"TableName": arn("dynamodb", "table/t"), "Key": {"k": {"S": "x"}}},
     [("dynamodb:GetItem", arn("dynamodb", "table/t"))]),
    ("dynamodb", "query", {"TableName": "t", "IndexName": "idx"},
     [("dynamodb:Query", arn("dynamodb", "table/t/index/idx"))]),
    ("dynamodb", "query", {"TableName": "t"}, [("dynamodb:Query", arn("dynamodb", "table/t"))]),
    ("dynamodb", "batch_get_item", {"RequestItems": {"t": KEYS, "u": KEYS}},
     [("dynamodb:BatchGetItem", arn("dynamodb", "table/t")), ("dynamodb:BatchGetItem", arn("dynamodb", "table/u"))]),
    ("dynamodb", "transact_write_items", {"TransactItems": [
        {"Put": {"TableName": "t", "Item": {"k": {"S": "x"}}}},
        {"ConditionCheck": {"TableName": "u", "Key": {"k": {"S": "x"}}, "ConditionExpression": "a = b"}}]},
     [("dynamodb:PutItem", arn("dynamodb", "table/t")), ("dynamodb:ConditionCheckItem", arn("dynamodb", "table/u"))]),
    ("dynamodb", "execute_statement", {"Statement": 'SELECT * FROM "t" WHERE k = 1'},
     [("dynamodb:PartiQLSelect", arn("dynamodb", "table/t"))]),
    ("dynamodb", "list_tables", {}, [("dynamodb:ListTables", "*")]),
    ("kinesis", "put_record", {"StreamName": "s", "Data": b"", "PartitionKey": "p"},
     [("kinesis:PutRecord", arn("kinesis", "stream/s"))]),
    ("kinesis", "list_shards", {"StreamARN": arn("kinesis", "stream/s")},
     [("kinesis:ListShards", arn("kinesis", "stream/s"))]),
    ("glue", "start_job_run", {"JobName": "j"}, [("glue:StartJobRun", arn("glue", "job/j"))]),
    ("glue", "get_table", {"DatabaseName": "db", "Name": "t"},
     [("glue:GetTable", CATALOG), ("glue:GetTable", DATABASE), ("glue:GetTable", TABLE)]),
    ("glue", "get_partitions", {"DatabaseName": "db", "TableName": "t"},
     [("glue:GetPartitions", DATABASE), ("glue:GetPartitions", CATALOG), ("glue:GetPartitions", TABLE)]),
    ("glue", "create_database", {"DatabaseInput": {"Name": "db"}},
     [("glue:CreateDatabase", CATALOG), ("glue:CreateDatabase", DATABASE)]),
    ("glue", "create_job", {"Name": "j", "Role": "worker", "Command": {}},
     [("glue:CreateJob", arn("glue", "job/j")), ("iam:PassRole", ROLE_ARN)]),
    ("athena", "start_query_execution", {"QueryString": "x", "WorkGroup": "wg"},
     [("athena:StartQueryExecution", arn("athena", "workgroup/wg"))]),
    ("athena", "start_query_execution", {"QueryString": "x"},
     [("athena:StartQueryExecution", arn("athena", "workgroup/primary"))]),
    ("athena", "get_query_execution", {"QueryExecutionId": "no-such-query"},
     [("athena:GetQueryExecution", arn("athena", "workgroup/primary"))]),
    ("sagemaker", "create_training_job", TRAINING,
     [("sagemaker:CreateTrainingJob", arn("sagemaker", "training-job/j")), ("iam:PassRole", ROLE_ARN)]),
    ("sagemaker", "create_training_job", {**TRAINING, "Tags": [{"Key": "a", "Value": "b"}]},
     [("sagemaker:CreateTrainingJob", arn("sagemaker", "training-job/j")),
      ("sagemaker:AddTags", arn("sagemaker", "training-job/j")), ("iam:PassRole", ROLE_ARN)]),
    ("sagemaker", "create_hyper_parameter_tuning_job", TUNING,
     [("sagemaker:CreateHyperParameterTuningJob", arn("sagemaker", "hyper-parameter-tuning-job/h")),
      ("iam:PassRole", ROLE_ARN)]),
    ("sagemaker", "stop_hyper_parameter_tuning_job", {"HyperParameterTuningJobName": "h"},
     [("sagemaker:StopHyperParameterTuningJob", arn("sagemaker", "hyper-parameter-tuning-job/h"))]),
    ("sagemaker", "list_training_jobs_for_hyper_parameter_tuning_job", {"HyperParameterTuningJobName": "h"},
     [("sagemaker:ListTrainingJobsForHyperParameterTuningJob", arn("sagemaker", "hyper-parameter-tuning-job/h"))]),
    ("sagemaker", "list_training_jobs", {}, [("sagemaker:ListTrainingJobs", "*")]),
    ("sagemaker", "create_model_package", {"ModelPackageGroupName": "g"},
     [("sagemaker:CreateModelPackage", arn("sagemaker", "model-package-group/g")),
      ("sagemaker:CreateModelPackage", arn("sagemaker", "model-package/g/*"))]),
    ("sagemaker", "update_model_package", {"ModelPackageArn": arn("sagemaker", "model-package/g/1")},
     [("sagemaker:UpdateModelPackage", arn("sagemaker", "model-package/g/1"))]),
    ("sagemaker", "add_tags", {"ResourceArn": arn("sagemaker", "training-job/j"), "Tags": []},
     [("sagemaker:AddTags", arn("sagemaker", "training-job/j"))]),
    ("ecs", "register_task_definition", {**TEMPLATE, "taskRoleArn": ROLE_ARN, "executionRoleArn": f"{ROLE_ARN}-2"},
     [("ecs:RegisterTaskDefinition", arn("ecs", "task-definition/serving:*")), ("iam:PassRole", ROLE_ARN),
      ("iam:PassRole", f"{ROLE_ARN}-2")]),
    ("ecs", "register_task_definition", {**TEMPLATE, "tags": [{"key": "a", "value": "b"}]},
     [("ecs:RegisterTaskDefinition", arn("ecs", "task-definition/serving:*")),
      ("ecs:TagResource", arn("ecs", "task-definition/serving:*"))]),
    ("ecs", "describe_task_definition", {"taskDefinition": "serving:1"}, [("ecs:DescribeTaskDefinition", "*")]),
    ("ecs", "describe_services", {"cluster": "c", "services": ["a", arn("ecs", "service/c/b")]},
     [("ecs:DescribeServices", arn("ecs", "service/c/b")), ("ecs:DescribeServices", arn("ecs", "service/c/a"))]),
    ("ecs", "update_service", {"cluster": arn("ecs", "cluster/c"), "service": "a"},
     [("ecs:UpdateService", arn("ecs", "service/c/a"))]),
    ("ecs", "update_service", {"service": "a"}, [("ecs:UpdateService", arn("ecs", "service/default/a"))]),
    ("ecs", "list_service_deployments", {"cluster": "c", "service": "a"},
     [("ecs:ListServiceDeployments", arn("ecs", "service/c/a"))]),
    ("ecs", "describe_service_deployments", {"serviceDeploymentArns": [arn("ecs", "service-deployment/c/a/1")]},
     [("ecs:DescribeServiceDeployments", arn("ecs", "service/c/a")),
      ("ecs:DescribeServiceDeployments", arn("ecs", "service-deployment/c/a/1"))]),
    ("ecs", "run_task", {"cluster": "c", "taskDefinition": "serving:3"},
     [("ecs:RunTask", arn("ecs", "task-definition/serving:3"))]),
    ("ecs", "stop_task", {"cluster": "c", "task": "id"}, [("ecs:StopTask", arn("ecs", "task/c/id"))]),
    ("elbv2", "describe_target_health", {"TargetGroupArn": arn("elasticloadbalancing", "targetgroup/t/1")},
     [("elasticloadbalancing:DescribeTargetHealth", "*")]),
    ("elbv2", "register_targets", {"TargetGroupArn": arn("elasticloadbalancing", "targetgroup/t/1"), "Targets": []},
     [("elasticloadbalancing:RegisterTargets", arn("elasticloadbalancing", "targetgroup/t/1"))]),
    ("elbv2", "create_listener", {"LoadBalancerArn": arn("elasticloadbalancing", "loadbalancer/app/l/1"),
                                  "DefaultActions": []},
     [("elasticloadbalancing:CreateListener", arn("elasticloadbalancing", "loadbalancer/app/l/1"))]),
    ("iam", "get_role", {"RoleName": "in-a-path"}, [("iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/team/in-a-path")]),
    ("iam", "create_role", {"RoleName": "new", "Path": "/team/", "AssumeRolePolicyDocument": "{}"},
     [("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/team/new")]),
    ("sts", "assume_role", {"RoleArn": ROLE_ARN, "RoleSessionName": "run"}, [("sts:AssumeRole", ROLE_ARN)]),
    ("ssm", "get_parameter", {"Name": "/nightjar/x"}, [("ssm:GetParameter", arn("ssm", "parameter/nightjar/x"))]),
    ("ssm", "get_parameters", {"Names": ["/a", "b"]},
     [("ssm:GetParameters", arn("ssm", "parameter/a")), ("ssm:GetParameters", arn("ssm", "parameter/b"))]),
    ("logs", "get_log_events", {"logGroupName": GROUP, "logStreamName": "run"}, [("logs:GetLogEvents", STREAM)]),
    ("logs", "put_log_events",
     {"logGroupName": GROUP, "logStreamName": "run", "logEvents": [{"timestamp": 1, "message": "x"}]},
     [("logs:PutLogEvents", STREAM)]),
    ("logs", "filter_log_events", {"logGroupName": GROUP},
     [("logs:FilterLogEvents", arn("logs", f"log-group:{GROUP}:log-stream:"))]),
    ("logs", "create_log_group", {"logGroupName": GROUP},
     [("logs:CreateLogGroup", arn("logs", f"log-group:{GROUP}:log-stream:"))]),
    ("logs", "describe_log_groups", {}, [("logs:DescribeLogGroups", "*")]),
    ("sns", "publish", {"TopicArn": arn("sns", "alerts"), "Message": "x"}, [("sns:Publish", arn("sns", "alerts"))]),
    ("sns", "create_topic", {"Name": "alerts"}, [("sns:CreateTopic", arn("sns", "alerts"))]),
    ("sqs", "send_message", {"QueueUrl": f"http://127.0.0.1:4566/{ACCOUNT}/q", "MessageBody": "x"},
     [("sqs:SendMessage", arn("sqs", "q"))]),
    ("events", "put_events", {"Entries": [{"EventBusName": "b"}, {"EventBusName": arn("events", "event-bus/c")}]},
     [("events:PutEvents", arn("events", "event-bus/c")), ("events:PutEvents", arn("events", "event-bus/b"))]),
    ("events", "put_rule", {"Name": "r"}, [("events:PutRule", arn("events", "rule/r"))]),
    ("firehose", "put_record_batch", {"DeliveryStreamName": "d", "Records": [{"Data": b""}]},
     [("firehose:PutRecordBatch", arn("firehose", "deliverystream/d"))]),
    ("lambda", "invoke", {"FunctionName": "f"}, [("lambda:InvokeFunction", arn("lambda", "function:f"))]),
    ("lambda", "list_functions", {}, [("lambda:ListFunctions", "*")]),
    ("stepfunctions", "start_execution", {"stateMachineArn": arn("states", "stateMachine:m")},
     [("states:StartExecution", arn("states", "stateMachine:m"))]),
    ("ecr", "batch_get_image", {"repositoryName": "nightjar/serving", "imageIds": [{"imageTag": "1"}]},
     [("ecr:BatchGetImage", arn("ecr", "repository/nightjar/serving"))]),
    ("ecr", "get_authorization_token", {}, [("ecr:GetAuthorizationToken", "*")]),
    ("application-autoscaling", "describe_scaling_policies", {"ServiceNamespace": "ecs"},
     [("application-autoscaling:DescribeScalingPolicies", "*")]),
    ("mwaa", "get_environment", {"Name": "nightjar"},
     [("airflow:GetEnvironment", arn("airflow", "environment/nightjar"))]),
    ("ec2", "describe_vpcs", {}, [("ec2:DescribeVpcs", "*")]),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def role_in_a_path() -> None:
    iam = iam_backends[ACCOUNT]["aws"]
    iam.create_role("in-a-path", "{}", "/team/", None, "", [], None)


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "expected"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES]
)
def test_the_actions_and_resources_of_a_request(
    service: str, operation: str, arguments: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    got = [(ask.action, ask.resource) for ask in asked(service, operation, **arguments)]
    assert sorted(got) == sorted(expected)


def test_a_query_is_judged_by_its_work_group(monkeypatch: pytest.MonkeyPatch) -> None:
    queries = {"q": SimpleNamespace(request=SimpleNamespace(work_group="wg"))}
    monkeypatch.setattr(athena_backends[ACCOUNT][REGION], "queries", queries, raising=False)
    (ask,) = asked("athena", "get_query_results", QueryExecutionId="q")
    assert ask.resource == arn("athena", "workgroup/wg")


def test_a_secret_is_judged_by_its_whole_arn() -> None:
    backend = secretsmanager_backends[ACCOUNT][REGION]
    backend.create_secret("nightjar/db", "x", None, None, [], None, None, [], False)
    (ask,) = asked("secretsmanager", "get_secret_value", SecretId="nightjar/db")
    assert ask.resource.startswith(arn("secretsmanager", "secret:nightjar/db-"))


def values_of(ask: requests.Ask, *keys: str) -> list[Any]:
    return [ask.context.get(key) for key in keys]


def test_condition_keys() -> None:
    (put,) = asked("s3", "put_object", **PUT, ServerSideEncryption="aws:kms", IfNoneMatch="*")
    assert values_of(put, "s3:x-amz-server-side-encryption", "s3:if-none-match") == [("aws:kms",), ("*",)]
    assert values_of(put, "aws:PrincipalArn", "aws:PrincipalTag/Team") == [(ROLE_ARN,), ("ml",)]
    (listed,) = asked("s3", "list_objects_v2", Bucket="lake", Prefix="raw/", Delimiter="/", MaxKeys=5)
    assert values_of(listed, "s3:prefix", "s3:delimiter", "s3:max-keys") == [("raw/",), ("/",), ("5",)]
    assert values_of(listed, "aws:SecureTransport", "aws:RequestedRegion") == [("true",), (REGION,)]
    train, tag, passed = asked("sagemaker", "create_training_job", **TRAINING, Tags=[{"Key": "run", "Value": "r1"}])
    assert values_of(train, "aws:RequestTag/run", "aws:TagKeys") == [("r1",), ("run",)]
    assert values_of(train, "sagemaker:InstanceTypes", "sagemaker:VpcSubnets") == [("ml.m5.large",), None]
    assert values_of(tag, "aws:RequestTag/run", "sagemaker:TaggingAction") == [("r1",), ("CreateTrainingJob",)]
    assert values_of(passed, "iam:PassedToService", "aws:username") == [("sagemaker.amazonaws.com",), None]
    (update,) = asked("ecs", "update_service", cluster="c", service="a")
    assert values_of(update, "ecs:cluster") == [(arn("ecs", "cluster/c"),)]
    (assume,) = asked("sts", "assume_role", RoleArn=ROLE_ARN, RoleSessionName="run", ExternalId="42")
    assert values_of(assume, "sts:ExternalId", "sts:RoleSessionName") == [("42",), ("run",)]


def test_every_data_file_names_actions_and_types_that_exist() -> None:
    for file in catalog.FOLDER.glob("*.yaml"):
        if file.stem == "s3-actions":
            continue
        data, table = catalog.load(file.stem), tables.service(file.stem)
        assert table.actions, file.stem
        types = {kind for asks in data.actions.values() for ask in asks for kind in ask.resources or ()}
        assert {*data.resources, *types} - {*table.arns, *data.arns} == set(), file.stem
        names = {ask.action for asks in data.actions.values() for ask in asks if ask.action}
        assert {name for name in names if name.lower() not in table.actions} == set(), file.stem
