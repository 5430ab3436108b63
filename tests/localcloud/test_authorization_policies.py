"""What policies allow and deny, through real clients."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.support.localcloud import ACCOUNT, REGION, Cloud
from tests.support.policed_roles import BUCKET, TRUST, allow, document, refused

pytestmark = pytest.mark.stack

# One call for each protocol: the denial's code, status, action and resource.
DENIED: list[tuple[str, str, dict[str, Any], str, int, str, str]] = [
    ("s3", "get_object", {"Bucket": BUCKET, "Key": "raw/a.json"}, "AccessDenied", 403, "s3:GetObject",
     f"arn:aws:s3:::{BUCKET}/raw/a.json"),
    ("s3", "list_objects_v2", {"Bucket": BUCKET}, "AccessDenied", 403, "s3:ListBucket", f"arn:aws:s3:::{BUCKET}"),
    ("glue", "start_job_run", {"JobName": "transform"}, "AccessDeniedException", 400, "glue:StartJobRun",
     f"arn:aws:glue:{REGION}:{ACCOUNT}:job/transform"),
    ("dynamodb", "get_item", {"TableName": "state", "Key": {"k": {"S": "x"}}}, "AccessDeniedException", 400,
     "dynamodb:GetItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/state"),
    ("iam", "get_role", {"RoleName": "test-job"}, "AccessDenied", 403, "iam:GetRole",
     f"arn:aws:iam::{ACCOUNT}:role/test-job"),
    ("sns", "publish", {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts", "Message": "x"}, "AuthorizationError",
     403, "sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"),
    ("ec2", "describe_vpcs", {}, "UnauthorizedOperation", 403, "ec2:DescribeVpcs", "*"),
    ("lambda", "get_function", {"FunctionName": "f"}, "AccessDeniedException", 403, "lambda:GetFunction",
     f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"),
    ("sts", "assume_role", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody", "RoleSessionName": "test"},
     "AccessDenied", 403, "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/nobody"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code", "status", "action", "resource"),
    DENIED,
    ids=lambda value: str(value)[:24],
)
def test_a_denial_is_in_the_words_of_aws_and_is_not_retried(
    cloud: Cloud, guarded_s3: Any, as_role: Any, service: str, operation: str, arguments: dict[str, Any], code: str,
    status: int, action: str, resource: str,
) -> None:  # fmt: skip
    client = as_role()(service)
    got = refused(lambda: getattr(client, operation)(**arguments))
    assert got[:2] == (code, status)
    assert f"is not authorized to perform: {action} on resource: {resource}" in got[2]
    line = next(line for line in reversed(cloud.requests()) if line["service"] == service)
    assert (line["decision"], line["iam"][0]) == ("deny", {"action": action, "resource": resource})


def test_what_is_granted_works_and_nothing_else(cloud: Cloud, guarded_s3: Any, as_role: Any) -> None:
    role = as_role(
        allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/raw/*"),
        allow("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", Condition={"StringLike": {"s3:prefix": "raw/*"}}),
    )("s3")
    assert role.get_object(Bucket=BUCKET, Key="raw/a.json")["Body"].read() == b"{}"
    assert role.head_object(Bucket=BUCKET, Key="raw/a.json")["ContentLength"] == 2
    assert role.list_objects_v2(Bucket=BUCKET, Prefix="raw/")["KeyCount"] == 1
    assert refused(lambda: role.list_objects_v2(Bucket=BUCKET))[0] == "AccessDenied"
    assert refused(lambda: role.put_object(Bucket=BUCKET, Key="raw/b", Body=b""))[0] == "AccessDenied"
    assert (
        refused(lambda: role.copy_object(Bucket=BUCKET, Key="raw/b", CopySource=f"{BUCKET}/raw/a.json"))[0]
        == "AccessDenied"
    )
    line = next(line for line in reversed(cloud.requests()) if line.get("decided_by") == ["own/1"])
    assert line["iam"] == [{"action": "s3:GetObject", "resource": f"arn:aws:s3:::{BUCKET}/raw/a.json"}]


def test_each_key_of_a_deletion_and_the_source_of_a_copy_are_checked(guarded_s3: Any, as_role: Any) -> None:
    role = as_role(
        allow(["s3:DeleteObject", "s3:PutObject"], f"arn:aws:s3:::{BUCKET}/own/*"),
        allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/own/*"),
    )("s3")
    role.put_object(Bucket=BUCKET, Key="own/a", Body=b"x")
    role.copy_object(Bucket=BUCKET, Key="own/b", CopySource=f"{BUCKET}/own/a")
    delete = {"Objects": [{"Key": "own/a"}, {"Key": "raw/a.json"}]}
    assert "raw/a.json" in refused(lambda: role.delete_objects(Bucket=BUCKET, Delete=delete))[2]
    assert guarded_s3.head_object(Bucket=BUCKET, Key="own/a")
    copy = refused(lambda: role.copy_object(Bucket=BUCKET, Key="own/c", CopySource=f"{BUCKET}/raw/a.json"))
    assert f"s3:GetObject on resource: arn:aws:s3:::{BUCKET}/raw/a.json" in copy[2]
    role.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "own/a"}, {"Key": "own/b"}]})


def test_a_change_of_a_policy_holds_for_the_next_request(cloud: Cloud, guarded_s3: Any, as_role: Any) -> None:
    role = as_role(allow("s3:GetObject"))("s3")
    assert role.get_object(Bucket=BUCKET, Key="raw/a.json")
    name = cloud.requests()[-1]["role"].rsplit("/", 1)[-1]
    cloud.client("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(allow("s3:PutObject")))
    assert refused(lambda: role.get_object(Bucket=BUCKET, Key="raw/a.json"))[0] == "AccessDenied"


def test_a_role_is_passed_only_with_pass_role(as_role: Any) -> None:
    target = f"arn:aws:iam::{ACCOUNT}:role/glue-job"
    job = {"Name": "passed", "Role": target, "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/k"}}
    glue = as_role(allow("glue:CreateJob"))("glue")
    assert f"iam:PassRole on resource: {target}" in refused(lambda: glue.create_job(**job))[2]
    wrong = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    glue = as_role(allow("glue:CreateJob"), allow("iam:PassRole", target, Condition=wrong))("glue")
    assert "iam:PassRole" in refused(lambda: glue.create_job(**job))[2]
    right = {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
    glue = as_role(allow("glue:*"), allow("iam:PassRole", target, Condition=right))("glue")
    glue.create_job(**job)
    glue.delete_job(JobName="passed")


def test_a_role_is_assumed_only_by_whom_it_trusts(cloud: Cloud, as_role: Any) -> None:
    iam = cloud.client("iam")
    condition = {"StringEquals": {"sts:ExternalId": "42"}}
    trust = {**TRUST, "Principal": {"AWS": ACCOUNT}, "Condition": condition}
    arn = iam.create_role(RoleName="trusting", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    ask = {"RoleArn": arn, "RoleSessionName": "test"}
    assert refused(lambda: as_role()("sts").assume_role(**ask, ExternalId="42"))[0] == "AccessDenied"
    sts = as_role(allow("sts:AssumeRole"))("sts")
    assert refused(lambda: sts.assume_role(**ask))[0] == "AccessDenied"
    assert sts.assume_role(**ask, ExternalId="42")["Credentials"]
    assert as_role()("sts").get_caller_identity()["Arn"].endswith("/test")


def test_a_session_policy_limits(guarded_s3: Any, as_role: Any) -> None:
    policy = document(allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/raw/*"))
    role = as_role(allow("s3:*"), Policy=policy)("s3")
    assert role.get_object(Bucket=BUCKET, Key="raw/a.json")
    assert "no session policy allows" in refused(lambda: role.put_object(Bucket=BUCKET, Key="raw/x", Body=b""))[2]


def test_a_user_has_the_policies_of_their_groups(cloud: Cloud, guarded_s3: Any) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="readers")
    iam.add_user_to_group(GroupName="readers", UserName="ann")
    iam.attach_group_policy(GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    user = cloud.client("s3", **keys)
    assert user.get_object(Bucket=BUCKET, Key="raw/a.json")
    assert refused(lambda: user.put_object(Bucket=BUCKET, Key="raw/x", Body=b""))[0] == "AccessDenied"
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert refused(lambda: user.get_object(Bucket=BUCKET, Key="raw/a.json"))[0] == "InvalidAccessKeyId"


def test_a_bucket_policy_grants_and_denies(cloud: Cloud, as_role: Any) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="with-policy")
    s3.delete_public_access_block(Bucket="with-policy")
    s3.put_object(Bucket="with-policy", Key="public/a", Body=b"a")
    s3.put_object(Bucket="with-policy", Key="private/a", Body=b"a")
    objects = "arn:aws:s3:::with-policy"
    statements = [
        allow("s3:GetObject", f"{objects}/public/*", Principal="*"),
        {**allow("s3:PutObject", f"{objects}/*", Principal="*"), "Effect": "Deny",
         "Condition": {"Null": {"s3:if-none-match": "true"}}},
    ]  # fmt: skip
    s3.put_bucket_policy(Bucket="with-policy", Policy=document(*statements))
    with urllib.request.urlopen(f"{cloud.endpoint}/with-policy/public/a") as answer:
        assert answer.read() == b"a"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{cloud.endpoint}/with-policy/private/a")
    role = as_role(allow("s3:*"))("s3")
    put = {"Bucket": "with-policy", "Key": "write-once", "Body": b"x"}
    assert "explicit deny in a resource-based policy" in refused(lambda: role.put_object(**put))[2]
    role.put_object(**put, IfNoneMatch="*")


def test_a_key_policy_must_allow(cloud: Cloud, as_role: Any) -> None:
    kms, s3 = cloud.client("kms"), cloud.client("s3")
    s3.create_bucket(Bucket="encrypted")
    role = as_role(allow(["s3:*", "kms:*"]))
    root = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    key = kms.create_key(Policy=document(root))["KeyMetadata"]["Arn"]
    only = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    via_s3 = kms.create_key(Policy=document({**root, "Condition": only}))["KeyMetadata"]["Arn"]
    closed = kms.create_key(Policy=document(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"})))
    closed_arn = closed["KeyMetadata"]["Arn"]
    assert role("kms").encrypt(KeyId=key, Plaintext=b"x")
    assert refused(lambda: role("kms").encrypt(KeyId=via_s3, Plaintext=b"x"))[0] == "AccessDeniedException"
    assert "no resource-based policy" in refused(lambda: role("kms").encrypt(KeyId=closed_arn, Plaintext=b"x"))[2]
    put = {"Bucket": "encrypted", "Key": "k", "Body": b"x", "ServerSideEncryption": "aws:kms"}
    role("s3").put_object(**put, SSEKMSKeyId=via_s3)
    assert role("s3").get_object(Bucket="encrypted", Key="k")["Body"].read() == b"x"
    assert "kms:GenerateDataKey" in refused(lambda: role("s3").put_object(**put, SSEKMSKeyId=closed_arn))[2]


def test_what_cannot_be_evaluated_denies_and_says_so(cloud: Cloud, guarded_s3: Any, as_role: Any) -> None:
    role = as_role(allow("s3:GetObject", Condition={"StringEquals": {"aws:Unheard": "x"}}))("s3")
    assert (
        "cannot evaluate the condition key aws:Unheard"
        in refused(lambda: role.get_object(Bucket=BUCKET, Key="raw/a.json"))[2]
    )
    assert "aws:Unheard" in (cloud.state.parent / "server.log").read_text()


def test_the_query_of_a_caller_reads_with_the_callers_rights(cloud: Cloud, as_role: Any) -> None:
    s3, glue = cloud.client("s3"), cloud.client("glue")
    s3.create_bucket(Bucket="results")
    s3.put_object(Bucket="results", Key="t/a.csv", Body=b"1\n2\n")
    glue.create_database(DatabaseInput={"Name": "guarded"})
    storage = {
        "Columns": [{"Name": "n", "Type": "int"}], "Location": "s3://results/t/",
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                      "Parameters": {"field.delim": ","}},
    }  # fmt: skip
    glue.create_table(
        DatabaseName="guarded", TableInput={"Name": "t", "StorageDescriptor": storage, "TableType": "EXTERNAL_TABLE"}
    )
    rights = [
        allow("athena:*"), allow("glue:Get*"), allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::results/out/*"),
        allow(["s3:ListBucket", "s3:GetBucketLocation"]),
    ]  # fmt: skip

    def state(*statements: dict[str, Any]) -> tuple[str, str]:
        athena = as_role(*statements)("athena")
        query = athena.start_query_execution(
            QueryString="SELECT sum(n) FROM guarded.t", ResultConfiguration={"OutputLocation": "s3://results/out/"}
        )["QueryExecutionId"]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                return status["State"], status.get("StateChangeReason", "")
            time.sleep(0.1)
        raise AssertionError("the query does not end")

    assert state(*rights, allow("s3:GetObject", "arn:aws:s3:::results/t/*"))[0] == "SUCCEEDED"
    failed, reason = state(*rights)
    assert failed == "FAILED"
    assert "AccessDenied" in reason or "Forbidden" in reason or "403" in reason


def test_a_service_runs_a_job_only_with_a_role_that_trusts_it(cloud: Cloud) -> None:
    iam, sagemaker = cloud.client("iam"), cloud.client("sagemaker")
    condition = {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": "arn:aws:glue:*:*:job/a*"},
    }
    trust = {**TRUST, "Principal": {"Service": "glue.amazonaws.com"}, "Condition": condition}
    role = iam.create_role(RoleName="glue-only", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    job = {
        "TrainingJobName": "untrusted", "RoleArn": role, "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "AlgorithmSpecification": {"TrainingImage": "img:1", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://b/k"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    }  # fmt: skip
    code, _, message = refused(lambda: sagemaker.create_training_job(**job))
    assert (code, "allows principal 'sagemaker.amazonaws.com'" in message) == ("ValidationException", True)
    glue = cloud.client("glue")
    for name, reason in (("another", "AccessDenied"), ("b", "allows principal 'glue.amazonaws.com'")):
        glue.create_job(Name=name, Role=role, Command={"Name": "glueetl", "ScriptLocation": "s3://absent/x.py"})
        run = glue.start_job_run(JobName=name)["JobRunId"]

        def error(name: str = name, run: str = run) -> str:
            return str(glue.get_job_run(JobName=name, RunId=run)["JobRun"].get("ErrorMessage", ""))

        cloud.wait_until(error)
        assert reason in error()  # the trusted run gets as far as its script, which its role may not read
