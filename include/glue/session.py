"""The Spark session of a job: Glue's own, with the settings that the jobs depend on."""

from __future__ import annotations

from pyspark.sql import SparkSession


def spark_session(name: str) -> SparkSession:
    """Makes or gets the session: UTC, ANSI mode (Glue 6.0's default), two shuffle partitions per core.

    Args:
        name: Name of the Spark application.
    """
    session = (
        SparkSession.builder.appName(name)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.ansi.enabled", "true")
        .getOrCreate()
    )
    session.conf.set("spark.sql.shuffle.partitions", max(2, 2 * session.sparkContext.defaultParallelism))
    return session
