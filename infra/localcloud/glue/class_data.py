"""An archive of Spark's classes, with which the JVM of a Glue job starts in half the time (class data sharing).

``python -m infra.localcloud class-data --config FILE`` makes it, once for each installation of Spark. The JVM maps the
archive instead of reading and verifying thousands of classes. It compares Java's version and the jar files with those
of the archive, and starts without it where they differ.
https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from infra.localcloud.config import Config
from infra.localcloud.errors import ConfigError, LocalCloudError
from infra.localcloud.glue.spark import JAVA_OPTIONS, QUIET, environment

SCRIPT = Path(__file__).with_name("class_data_script.py")
_SECONDS = 1800  # at the lowest priority it may take long
_LAST_LINES = 10


def make_archive(config: Config) -> Path:
    """Runs a script that uses what Glue jobs use, and keeps the classes that it loaded.

    Returns:
        The file that ``glue.class_data`` names.

    Raises:
        ConfigError: ``glue.class_data`` is not set.
        LocalCloudError: Spark did not run, or the JVM wrote no archive.
    """
    file = config.glue.class_data
    if file is None:
        raise ConfigError("`glue.class_data` must be given: a path for the archive")
    folder = file.parent / "making"
    shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
    folder.mkdir(parents=True)
    try:
        written = folder / "archive.jsa"
        options = f'{JAVA_OPTIONS} "-XX:ArchiveClassesAtExit={written}" {QUIET}'
        variables = environment(config, folder, {"spark.driver.extraJavaOptions": options}, [])
        keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
        code, output = _run([config.glue.python, SCRIPT, folder / "rows"], {**os.environ, **keys, **variables})
        if code or not written.is_file():
            end = "\n".join(output.splitlines()[-_LAST_LINES:])
            raise LocalCloudError(
                "The archive of Spark's classes was not made, so Glue jobs start slowly. The script ended with exit "
                f"code {code}:\n{end}"
            )
        written.replace(file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return file


def _run(argv: list[str | Path], env: dict[str, str]) -> tuple[int, str]:
    """Runs the script, for at most ``_SECONDS``, with the JVM that it starts. Returns its exit code and output.

    They are a group of their own, to be ended together, but no session: the caller may have given its own a priority.
    """
    process = subprocess.Popen(
        argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    )
    try:
        output, _ = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    return process.returncode, output
