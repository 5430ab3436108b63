"""Scripts like those that Glue Studio generates, run as job runs: the local cloud's package ``awsglue``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from infra.localcloud.glue.spark import LIBRARIES
from tests.support.glue_runs import BUCKET, finished, log_lines
from tests.support.localcloud import Cloud

GENERATED = """
import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue import DynamicFrame

def sparkSqlQuery(glueContext, query, mapping, transformation_ctx) -> DynamicFrame:
    for alias, frame in mapping.items():
        frame.toDF().createOrReplaceTempView(alias)
    result = spark.sql(query)
    return DynamicFrame.fromDF(result, glueContext, transformation_ctx)

args = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket"])
sc = SparkContext()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)

flights = glueContext.create_dynamic_frame.from_options(
    format_options={"quoteChar": '"', "withHeader": True, "separator": ","},
    connection_type="s3",
    format="csv",
    connection_options={"paths": [f"s3://{args['bucket']}/studio/in/"], "recurse": True},
    transformation_ctx="S3bucket_node1",
)
print("csv", [(f.name, f.dataType.simpleString()) for f in flights.toDF().schema], flights.count())
mapped = ApplyMapping.apply(
    frame=flights,
    mappings=[
        ("Id", "string", "id", "long"),
        ("delay", "string", "delay", "int"),
        ("carrier name", "string", "carrier", "string"),
        ("origin", "string", "place.origin", "string"),
        ("absent", "string", "absent", "string"),
    ],
    transformation_ctx="ApplyMapping_node2",
)
mapped.printSchema()
kept = Filter.apply(frame=mapped, f=lambda row: row["delay"] is not None and row["place"]["origin"] == "JFK")
print("kept", sorted(row.id for row in kept.toDF().collect()))
airlines = glueContext.create_dynamic_frame.from_catalog(
    database="studio", table_name="airlines", transformation_ctx="catalog", push_down_predicate="year = 2013"
)
print("catalog", [(f.name, f.dataType.simpleString()) for f in airlines.toDF().schema], airlines.count())
joined = Join.apply(frame1=kept, frame2=airlines, keys1=["carrier"], keys2=["carrier"], transformation_ctx="join")
print("joined", joined.toDF().columns)
named = joined.drop_fields(["`.carrier`"]).rename_field("name", "airline")
clean = named.resolveChoice(specs=[("delay", "cast:double")])
total = sparkSqlQuery(
    glueContext,
    query="select airline, sum(delay) as delay, max(place.origin) as origin, 2013 as year from clean group by airline",
    mapping={"clean": clean},
    transformation_ctx="SQL_node",
)
upper = Map.apply(frame=total, f=lambda row: {**row, "airline": row["airline"].upper()})
glueContext.write_dynamic_frame.from_options(
    frame=upper,
    connection_type="s3",
    format="glueparquet",
    connection_options={"path": f"s3://{args['bucket']}/studio/out/", "partitionKeys": ["year"]},
    format_options={"compression": "snappy"},
    transformation_ctx="S3bucket_node3",
)
sink = glueContext.getSink(
    path=f"s3://{args['bucket']}/studio/json/", connection_type="s3", updateBehavior="LOG", partitionKeys=[],
    transformation_ctx="sink",
)
sink.setFormat("json")
sink.writeFrame(upper)
back = glueContext.create_dynamic_frame.from_options("s3", {"paths": [f"s3://{args['bucket']}/studio/out/"]}, "parquet")
print("back", [tuple(row) for row in back.select_fields(["airline", "delay", "origin"]).toDF().collect()])
for attempt in ("back.relationalize('root', 's3://x/')", "glueContext.purge_table('a', 'b')"):
    try:
        eval(attempt)
    except NotImplementedError as error:
        print("refused", error)
try:
    glueContext.create_dynamic_frame.from_options("mysql", {}, "")
except NotImplementedError as error:
    print("refused", error)
job.commit()
"""


@pytest.mark.stack
@pytest.mark.spark
def test_a_generated_script_runs(cloud: Cloud, glue_job: Any) -> None:
    s3, glue = cloud.client("s3"), cloud.client("glue")
    s3.put_object(Bucket=BUCKET, Key="code/studio.py", Body=GENERATED)
    rows = 'Id,delay,carrier name,origin\n1,10,AA,JFK\n2,x,AA,JFK\n3,5,"UA",JFK\n4,7,UA,LGA\n'
    s3.put_object(Bucket=BUCKET, Key="studio/in/a/flights.csv", Body=rows)
    airlines = {2013: '{"carrier": "AA", "name": "American"}\n{"carrier": "UA", "name": "United"}\n', 2012: "{}\n"}
    columns = [{"Name": "carrier", "Type": "string"}, {"Name": "name", "Type": "string"}]
    storage = {
        "Columns": columns,
        "Location": f"s3://{BUCKET}/studio/airlines/",
        "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
    }
    glue.create_database(DatabaseInput={"Name": "studio"})
    glue.create_table(
        DatabaseName="studio",
        TableInput={
            "Name": "airlines",
            "StorageDescriptor": storage,
            "PartitionKeys": [{"Name": "year", "Type": "int"}],
        },
    )
    for year, body in airlines.items():
        s3.put_object(Bucket=BUCKET, Key=f"studio/airlines/year={year}/a.json", Body=body)
        location = {**storage, "Location": f"s3://{BUCKET}/studio/airlines/year={year}/"}
        partition = {"Values": [str(year)], "StorageDescriptor": location}
        glue.create_partition(DatabaseName="studio", TableName="airlines", PartitionInput=partition)

    name = glue_job("studio.py", DefaultArguments={"--bucket": BUCKET, "--job-bookmark-option": "job-bookmark-disable"})
    run = finished(cloud, name, glue.start_job_run(JobName=name)["JobRunId"], 300)
    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    printed = log_lines(cloud, run["Id"])
    assert "csv [('Id', 'string'), ('delay', 'string'), ('carrier name', 'string'), ('origin', 'string')] 4" in printed
    assert "kept [1, 3]" in printed
    assert "catalog [('carrier', 'string'), ('name', 'string'), ('year', 'int')] 2" in printed
    assert "joined ['id', 'delay', 'carrier', 'place', '.carrier', 'name', 'year']" in printed
    (back,) = [line for line in printed if line.startswith("back ")]
    assert sorted(eval(back.removeprefix("back "))) == [("AMERICAN", 10.0, "JFK"), ("UNITED", 5.0, "JFK")]
    refused = [line for line in printed if line.startswith("refused ")]
    assert [line.split()[1] for line in refused] == ["DynamicFrame.relationalize", "GlueContext.purge_table", "The"]
    assert all("Instead: " in line for line in refused) and "'mysql'" in refused[2]
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="studio/out/")["Contents"]]
    assert any(key.startswith("studio/out/year=2013/") and key.endswith(".snappy.parquet") for key in keys)
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="studio/json/")["KeyCount"] > 0


@pytest.mark.stack
def test_a_scripts_own_module_is_not_shadowed(cloud: Cloud, glue_job: Any) -> None:
    s3 = cloud.client("s3")
    s3.put_object(Bucket=BUCKET, Key="code/awsglue.py", Body="NAME = 'own'\n")
    s3.put_object(Bucket=BUCKET, Key="code/own.py", Body="import awsglue; print('awsglue is', awsglue.NAME)\n")
    name = glue_job("own.py", DefaultArguments={"--extra-py-files": f"s3://{BUCKET}/code/awsglue.py"})
    run = finished(cloud, name, cloud.client("glue").start_job_run(JobName=name)["JobRunId"])
    assert run["JobRunState"] == "SUCCEEDED", run.get("ErrorMessage")
    assert "awsglue is own" in log_lines(cloud, run["Id"])


def module(name: str) -> ModuleType:
    """A module of the package that needs no Spark."""
    package = LIBRARIES / "awsglue"
    for part in ("missing", name):
        spec = importlib.util.spec_from_file_location(f"awsglue_alone.{part}", package / f"{part}.py")
        assert spec is not None and spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[f"awsglue_alone.{part}"] = loaded
        spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Any:
    package = ModuleType("awsglue_alone")
    package.__path__ = [str(LIBRARIES / "awsglue")]
    monkeypatch.setitem(sys.modules, "awsglue_alone", package)
    yield module
    for name in [name for name in sys.modules if name.startswith("awsglue_alone.")]:
        del sys.modules[name]


def test_arguments_are_resolved_by_name(alone: Any) -> None:
    resolve = alone("utils").getResolvedOptions
    argv = ["script.py", "--JOB_NAME", "job", "--day=2013-06-19", "--min-rows", "-5", "--other", "x"]
    found = resolve(argv, ["JOB_NAME", "day", "min-rows"])
    assert (found["JOB_NAME"], found["day"], found["min_rows"]) == ("job", "2013-06-19", "-5")
    assert "other" not in found and found["job_bookmark_option"] == "job-bookmark-disable"


def test_a_missing_argument_is_named(alone: Any) -> None:
    utils = alone("utils")
    with pytest.raises(utils.GlueArgumentError, match="--day"):
        utils.getResolvedOptions(["script.py", "--JOB_NAME", "job"], ["JOB_NAME", "day"])


def test_bookmarks_are_refused(alone: Any) -> None:
    job = alone("job").Job(None)
    with pytest.raises(NotImplementedError, match="job-bookmark-enable"):
        job.init("job", {"job_bookmark_option": "job-bookmark-enable"})
    job.init("job", {"job_bookmark_option": "job-bookmark-disable"})
    assert job.isInitialized()
    job.commit()


def test_the_package_is_in_the_folder_that_runs_get() -> None:
    assert (LIBRARIES / "awsglue" / "__init__.py").is_file()
    assert [path.name for path in Path(LIBRARIES).iterdir() if path.name != "__pycache__"] == ["awsglue"]
