"""The Spark session of a job: Glue's own, with what our jobs rely on made explicit."""

from __future__ import annotations

from pyspark.sql import SparkSession


def spark_session(name: str) -> SparkSession:
    """UTC, ANSI (as Glue 6.0 has it), and as many shuffle partitions as the cluster's cores can use."""
    session = (
        SparkSession.builder.appName(name)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.ansi.enabled", "true")
        # A staging prefix belongs to one run and is read only once the job has succeeded, so the quick commit is safe.
        .config("spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version", "2")
        .config("spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .getOrCreate()
    )
    session.conf.set("spark.sql.shuffle.partitions", max(2, 2 * session.sparkContext.defaultParallelism))
    return session
