"""Starts Spark so that a script for Glue runs unchanged: s3:// works, times are UTC, no port is open to the network.

Settings: https://spark.apache.org/docs/latest/configuration.html and hadoop-aws's S3A documentation.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from infra.localcloud.config import Config

CORES = 2
# The JVM would write to a job's log why it does not archive, or use, some classes.
QUIET = "-Xlog:disable -Xlog:all=error:stderr"
LIBRARIES = Path(__file__).parent / "libraries"  # has the package awsglue
S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem"
# The C1 compiler alone and the serial collector: jobs here are short, and starting takes most of their time.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Duser.timezone=UTC -Djava.net.preferIPv4Stack=true"
# Spark's Hadoop 3.4 writes these with units ("60s"), which the connector of Hadoop 3.3.1 cannot read. Here they are
# plain seconds and milliseconds.
DURATIONS = {
    "threads.keepalivetime": "60",
    "connection.establish.timeout": "30000",
    "connection.timeout": "200000",
    "multipart.purge.age": "86400",
}


def properties(config: Config, folder: Path) -> dict[str, str]:
    """Returns Spark's properties for one run.

    Args:
        config: The server's configuration.
        folder: The run's folder.
    """
    return {
        "spark.master": f"local[{CORES}]",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": config.glue.driver_memory,
        "spark.driver.extraClassPath": ":".join(str(jar) for jar in config.glue.jars),
        "spark.driver.extraJavaOptions": " ".join([JAVA_OPTIONS, *_use_archive(config.glue.class_data)]),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(folder / "tmp"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(2 * CORES),
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
        "spark.hadoop.fs.s3.impl": S3A,
        "spark.hadoop.fs.s3a.impl": S3A,
        "spark.hadoop.fs.s3a.endpoint": config.endpoint,
        "spark.hadoop.fs.s3a.endpoint.region": config.region,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
        "spark.hadoop.fs.s3a.buffer.dir": str(folder / "tmp"),
        **{f"spark.hadoop.fs.s3a.{name}": value for name, value in DURATIONS.items()},
        # The role's temporary credentials are in the process's environment.
        "spark.hadoop.fs.s3a.aws.credentials.provider": "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
    }


def _use_archive(file: Path | None) -> list[str]:
    """The JVM's options for an archive of :mod:`~.class_data`; none where there is no archive."""
    return [f'"-XX:SharedArchiveFile={file}"', QUIET] if file and file.is_file() else []


def environment(config: Config, folder: Path, extra: dict[str, str], python_files: list[Path]) -> dict[str, str]:
    """Writes the properties file of a run.

    Args:
        config: The server's configuration.
        folder: The run's folder.
        extra: Properties of the run that override ours.
        python_files: Archives and folders for PYTHONPATH.

    Returns:
        The environment variables with which ``python script.py`` gets a configured Spark.
    """
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    # Empty, so that no settings of this machine count. It is on the class path, which must be that of the archive.
    settings = (config.glue.class_data.parent if config.glue.class_data else folder) / "conf"
    settings.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} {value}" for name, value in {**properties(config, folder), **extra}.items()]
    file = folder / "spark.properties"
    file.write_text("\n".join(lines) + "\n")
    variables = {
        "PYSPARK_SUBMIT_ARGS": f"--properties-file {shlex.quote(str(file))} pyspark-shell",
        "SPARK_CONF_DIR": str(settings),
        "SPARK_LAUNCHER_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": str(config.glue.python),
        "PYSPARK_DRIVER_PYTHON": str(config.glue.python),
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
        # Last: the script's own modules come first.
        "PYTHONPATH": ":".join(str(path) for path in [*python_files, LIBRARIES]),
    }
    if config.glue.java_home:
        variables["JAVA_HOME"] = str(config.glue.java_home)
    if config.glue.spark_home:
        variables["SPARK_HOME"] = str(config.glue.spark_home)
    return variables
