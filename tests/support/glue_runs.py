"""Glue jobs on a running local cloud: their scripts, a job per test, and what a run leaves behind."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.support.localcloud import WAIT_SECONDS, Cloud

BUCKET = "glue-bucket"
ROLE = "arn:aws:iam::123456789012:role/glue-job"

# Writes Parquet to S3, reads it back, and calls pandas code in a Spark worker that imports the extra archive.
SPARK = """
import argparse, sys
from pyspark.sql import SparkSession
from nightjar_extra.names import COLUMN

parser = argparse.ArgumentParser()
parser.add_argument("--out", required=True)
parser.add_argument("--rows", type=int)
parser.add_argument("--archive")
known, rest = parser.parse_known_args()
spark = SparkSession.builder.getOrCreate()
part = f"cast(id % 3 as string) as {COLUMN}"
frame = spark.range(known.rows).selectExpr("id", part, "timestamp'2013-03-01 10:00:00' as at")
frame.write.partitionBy(COLUMN).mode("overwrite").parquet(known.out)

def plus(batches):
    from nightjar_extra.names import COLUMN
    for batch in batches:
        batch[COLUMN] = COLUMN
        yield batch

back = spark.read.parquet(known.out)
mapped = back.drop(COLUMN).mapInPandas(plus, f"id bigint, at timestamp, {COLUMN} string")
count = mapped.filter(f"{COLUMN} = '{COLUMN}'").count()
print("rows", back.count(), "mapped", count, "zone", spark.conf.get("spark.sql.session.timeZone"), "rest", rest[:2])
with open(f"/proc/{spark._jvm.ProcessHandle.current().pid()}/maps") as maps:
    print("archive of classes:", known.archive in maps.read())
"""


@pytest.fixture(scope="session")
def glue_scripts(cloud: Cloud) -> str:
    """A bucket with the scripts; the value is their s3:// prefix."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("nightjar_extra/__init__.py", "")
        file.writestr("nightjar_extra/names.py", "COLUMN = 'part'")
    bodies = {
        "spark.py": SPARK,
        "extra.zip": archive.getvalue(),
        "ok.py": "import sys; print('argv', sys.argv[1:])",
        "bad.py": "print('before')\ndef clean(row):\n    return row['missing']\nclean({})\n",
        "sleep.py": "import time\nprint('sleeping')\ntime.sleep(120)\n",
    }
    for key, body in bodies.items():
        s3.put_object(Bucket=BUCKET, Key=f"code/{key}", Body=body)
    return f"s3://{BUCKET}/code/"


@pytest.fixture
def glue_job(cloud: Cloud, glue_scripts: str, request: pytest.FixtureRequest) -> Any:
    """``glue_job(script, **settings)`` makes a job of this test's own and returns its name."""
    glue = cloud.client("glue")

    def make(script: str, **settings: Any) -> str:
        name = request.node.name.replace("[", "-").replace("]", "")
        glue.create_job(
            Name=name,
            Command={"Name": "glueetl", "ScriptLocation": glue_scripts + script},
            GlueVersion="6.0",
            **{"Role": ROLE, **settings},
        )
        return name

    return make


def finished(cloud: Cloud, name: str, run: str, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
    """The run, once it has ended."""
    glue = cloud.client("glue")

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = glue.get_job_run(JobName=name, RunId=run)["JobRun"]
        return None if found["JobRunState"] in ("STARTING", "RUNNING", "STOPPING") else found

    return dict(cloud.wait_until(ended, seconds=seconds))


def log_lines(cloud: Cloud, run: str, stream: str = "output") -> list[str]:
    """What the run printed to stdout (``output``) or stderr (``error``)."""
    logs = cloud.client("logs").get_log_events(logGroupName=f"/aws-glue/jobs/{stream}", logStreamName=run)
    return [event["message"] for event in logs["events"]]
