"""The provider's Glue operators and sensors: a job with awsglue reads the catalog; running a crawler is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import allow
from tests.support.system_runs import SystemRun

pytestmark = [pytest.mark.stack, pytest.mark.spark]
BUCKET, DATABASE, JOB = "system-glue", "system_glue", "system-glue"
GLUE = f"arn:aws:glue:us-east-1:{ACCOUNT}"
CATALOG = [f"{GLUE}:{kind}" for kind in ("catalog", f"database/{DATABASE}", f"table/{DATABASE}/*")]
ROWS = "product,value\ntea,0.5\nmilk,2.5\nbread,4.0\n"
SCRIPT = """
import sys
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.transforms import ApplyMapping
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

options = getResolvedOptions(sys.argv, ["JOB_NAME", "database", "out"])
glue = GlueContext(SparkContext.getOrCreate())
job = Job(glue)
job.init(options["JOB_NAME"], options)
rows = glue.create_dynamic_frame.from_catalog(database=options["database"], table_name="input")
print("rows in the table:", rows.count())
named = ApplyMapping.apply(frame=rows, mappings=[
    ("product", "string", "name", "string"), ("value", "double", "price", "double"),
    ("category", "string", "category", "string"),
])
cheap = named.filter(lambda row: row["price"] < 3)
glue.write_dynamic_frame.from_options(
    frame=cheap.coalesce(1), connection_type="s3", connection_options={"path": options["out"]}, format="csv"
)
job.commit()
"""


@pytest.fixture
def run(cloud: Cloud, system_run: Callable[..., SystemRun], role: str) -> SystemRun:
    bucket = f"arn:aws:s3:::{BUCKET}"
    jobs = [f"glue:{name}" for name in ("GetJob", "CreateJob", "StartJobRun", "GetJobRun")]
    crawler = [f"glue:{name}Crawler" for name in ("Get", "Start", "Update")]
    return system_run(
        allow("s3:*", [bucket, f"{bucket}/*"]),
        allow(jobs, f"{GLUE}:job/{JOB}"),
        allow(["glue:CreateTable", "glue:GetPartitions", "glue:CreatePartition"], CATALOG),
        allow("glue:CreateCrawler"),
        allow(crawler, f"{GLUE}:crawler/system"),
        allow("sts:GetCallerIdentity"),
        allow(["iam:GetRole", "iam:PassRole"], role),
        allow(["logs:GetLogEvents", "logs:FilterLogEvents"], f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws-glue/*"),
    )


@pytest.fixture
def role(job_role: Callable[..., str]) -> str:
    """The role of the job."""
    bucket = f"arn:aws:s3:::{BUCKET}"
    return job_role(
        "glue",
        allow("s3:ListBucket", bucket),
        allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{bucket}/*"),
        allow(["kms:Decrypt", "kms:GenerateDataKey"], f"arn:aws:kms:us-east-1:{ACCOUNT}:key/*"),
        allow(["glue:GetTable", "glue:GetPartitions"], CATALOG),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws-glue/*"),
    )


def encrypt(cloud: Cloud) -> None:
    """From now on, objects are encrypted with a key: Spark renames what it wrote, and S3A copies to rename."""
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    cloud.client("s3").put_bucket_encryption(
        Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [{**rule, "BucketKeyEnabled": True}]}
    )


def table(cloud: Cloud, run: SystemRun) -> None:
    """The table ``input``, whose partition ``category=mixed`` has the rows."""
    from airflow.providers.amazon.aws.hooks.glue_catalog import GlueCatalogHook

    cloud.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    serde = {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ","},
    }
    storage = {
        "Columns": [{"Name": "product", "Type": "string"}, {"Name": "value", "Type": "double"}],
        "Location": f"s3://{BUCKET}/input/", "SerdeInfo": serde,
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    }  # fmt: skip
    hook: Any = GlueCatalogHook(aws_conn_id=None)
    hook.get_conn().create_table(DatabaseName=DATABASE, TableInput={
        "Name": "input", "StorageDescriptor": storage, "PartitionKeys": [{"Name": "category", "Type": "string"}],
        "Parameters": {"classification": "csv", "skip.header.line.count": "1"}, "TableType": "EXTERNAL_TABLE",
    })  # fmt: skip
    partition: dict[str, Any] = {**storage, "Location": f"s3://{BUCKET}/input/category=mixed/"}
    hook.create_partition(DATABASE, "input", {"Values": ["mixed"], "StorageDescriptor": partition})


def test_a_job_with_awsglue_reads_the_catalog_and_writes_csv(
    cloud: Cloud, run: SystemRun, role: str, capsys: Any
) -> None:
    from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
    from airflow.providers.amazon.aws.operators.glue_crawler import GlueCrawlerCreateOperator, GlueCrawlerRunOperator
    from airflow.providers.amazon.aws.operators.s3 import S3CreateBucketOperator, S3CreateObjectOperator
    from airflow.providers.amazon.aws.sensors.glue import GlueJobSensor
    from airflow.providers.amazon.aws.sensors.glue_catalog_partition import GlueCatalogPartitionSensor

    run.execute(S3CreateBucketOperator, bucket_name=BUCKET)
    for key, data in {"input/category=mixed/input.csv": ROWS, "etl.py": SCRIPT}.items():
        run.execute(S3CreateObjectOperator, s3_bucket=BUCKET, s3_key=key, data=data)
    encrypt(cloud)
    targets = {"S3Targets": [{"Path": f"s3://{BUCKET}/input"}]}
    crawler = {"Name": "system", "Role": role, "DatabaseName": DATABASE, "Targets": targets}
    run.execute(GlueCrawlerCreateOperator, config=crawler)
    with pytest.raises(ClientError, match="no crawler is run; create the table, or let Athena's DDL do it"):
        run.execute(GlueCrawlerRunOperator, crawler_name="system")

    table(cloud, run)
    run.execute(
        GlueCatalogPartitionSensor,
        table_name="input", database_name=DATABASE, expression="category='mixed'", timeout=10,
    )  # fmt: skip
    run.execute(
        GlueJobOperator, "submit",
        job_name=JOB, script_location=f"s3://{BUCKET}/etl.py", s3_bucket=BUCKET, iam_role_name=role.split("/")[-1],
        script_args={"--database": DATABASE, "--out": f"s3://{BUCKET}/output"}, wait_for_completion=False,
        create_job_kwargs={"GlueVersion": "6.0", "NumberOfWorkers": 2, "WorkerType": "G.1X"},
    )  # fmt: skip
    run.execute(GlueJobSensor, job_name=JOB, run_id="{{ ti.xcom_pull('submit') }}", verbose=True, timeout=120)
    assert "rows in the table: 3" in capsys.readouterr().out
    s3 = cloud.client("s3")
    parts = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="output/")["Contents"]]
    [part] = [key for key in parts if "part" in key or "run-" in key]
    assert s3.head_object(Bucket=BUCKET, Key=part)["ServerSideEncryption"] == "aws:kms"
    assert s3.get_object(Bucket=BUCKET, Key=part)["Body"].read().decode() == (
        "name,price,category\ntea,0.5,mixed\nmilk,2.5,mixed\n"
    )
