"""The Spark session of a job: Glue's own, with the settings that the jobs depend on."""

from __future__ import annotations

import boto3
from pyspark.sql import SparkSession


def spark_session(name: str) -> SparkSession:
    """Makes or gets the session: UTC, ANSI mode (Glue 6.0's default), two shuffle partitions per core.

    Args:
        name: Name of the Spark application.
    """
    builder = SparkSession.builder.appName(name)
    if region := boto3.Session().region_name:  # boto3 in the executors, which may not have it by themselves
        builder = builder.config("spark.executorEnv.AWS_DEFAULT_REGION", region)
    session = (
        builder.config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.ansi.enabled", "true")
        .getOrCreate()
    )
    session.conf.set("spark.sql.shuffle.partitions", max(2, 2 * session.sparkContext.defaultParallelism))
    return session
