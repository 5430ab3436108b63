"""Uses what a Glue job uses, so that the JVM loads its classes: ``class_data_script.py FOLDER``.

Windows, aggregates, JSON, Python functions, Parquet and S3A. It ends when the JVM has ended, because that writes the
archive at its end.
"""

from __future__ import annotations

import contextlib
import sys

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as sf

folder = sys.argv[1]
spark = (
    SparkSession.builder.config("spark.hadoop.fs.s3a.attempts.maximum", "1")
    .config("spark.hadoop.fs.s3a.retry.limit", "0")
    .getOrCreate()
)
rows = spark.range(100).select(
    "id", (sf.col("id") % 7).alias("key"), sf.lit('{"a": 1.5, "t": "2013-01-01"}').alias("payload")
)
first = Window.partitionBy("key").orderBy("id")
parsed = rows.withColumn("payload", sf.from_json("payload", "a double, t date")).withColumn(
    "row", sf.row_number().over(first)
)
columns = parsed.select("key", "payload.*", "row")
columns.mapInArrow(lambda batches: batches, columns.schema).repartition("key").sortWithinPartitions(
    "row"
).write.partitionBy("key").parquet(f"{folder}/parquet")
read = spark.read.parquet(f"{folder}/parquet").persist()
read.groupBy("key").agg(sf.count("*"), sf.max("a"), sf.sum("row")).toPandas()
read.select(sf.to_json(sf.struct("*")).alias("value")).coalesce(1).write.text(f"{folder}/text", compression="gzip")
spark.read.text(f"{folder}/text").join(read, read["t"].cast("string") == sf.col("value"), "left").count()
with contextlib.suppress(Py4JJavaError):  # nothing listens at the endpoint: only the client's classes are needed
    spark.read.text("s3://bucket/key").count()
gateway = spark.sparkContext._gateway
assert gateway is not None
spark.stop()
gateway.shutdown()
gateway.proc.stdin.close()
gateway.proc.wait()
