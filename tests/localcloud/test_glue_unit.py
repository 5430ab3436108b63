"""infra/localcloud/glue: arguments and failure texts."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from infra.localcloud.config import Config, GlueSettings
from infra.localcloud.errors import ConfigError, LocalCloudError
from infra.localcloud.glue import spark
from infra.localcloud.glue.arguments import python_files, script_arguments, spark_properties, unsupported
from infra.localcloud.glue.class_data import make_archive
from infra.localcloud.glue.failure import error_message

ETL = {"Name": "glueetl", "ScriptLocation": "s3://b/k.py"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"--extra-jars": "s3://b/x.jar"},
        {"--enable-glue-datacatalog": "true"},
        {"--job-bookmark-option": "job-bookmark-enable"},
    ],
)
def test_an_argument_that_is_not_honoured_is_named(arguments: dict[str, str]) -> None:
    assert next(iter(arguments)) in (unsupported(arguments, ETL) or "")


def test_ordinary_arguments_are_accepted() -> None:
    ordinary = {
        "--job-bookmark-option": "job-bookmark-disable",
        "--job-language": "python",
        "--day": "2013-03-01",
        "--enable-metrics": "",
    }
    assert unsupported(ordinary, ETL) is None


def test_other_kinds_of_job_are_refused() -> None:
    assert "pythonshell" in (unsupported({}, {"Name": "pythonshell"}) or "")


def test_the_script_gets_every_argument_and_the_names_of_job_and_run() -> None:
    words = script_arguments({"--days": "a,b", "--x": ""}, "job", "jr_1")
    assert words == ["--JOB_NAME", "job", "--JOB_RUN_ID", "jr_1", "--days", "a,b", "--x", ""]


def test_lists_in_arguments() -> None:
    assert python_files({"--extra-py-files": "s3://b/a.zip, s3://b/c.py"}) == ["s3://b/a.zip", "s3://b/c.py"]
    assert spark_properties({"--conf": "spark.a=1 --conf spark.b=x=y"}) == {"spark.a": "1", "spark.b": "x=y"}


TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in <module>',
    "26/11/23 01:12:31 WARN Shutdown: in between",
    "ValueError: no rows",
    "26/11/23 01:12:32 WARN Shutdown: after",
]


@pytest.mark.parametrize(
    ("lines", "code", "message"),
    [
        (TRACEBACK, 1, "ValueError: no rows (exit code 1)"),
        (
            ["Traceback (most recent call last):", "  x", "KeyError: 1", "", "During handling …", "", *TRACEBACK],
            1,
            "ValueError: no rows (exit code 1)",
        ),
        (
            [
                "Traceback (most recent call last):",
                "  x",
                "Py4JJavaError: An error",
                ": java.lang.OutOfMemoryError: heap",
                "\tat a.B",
            ],
            1,
            "Py4JJavaError: An error : java.lang.OutOfMemoryError: heap (exit code 1)",
        ),
        (
            ["usage: transform.py", "transform.py: error: --days is required"],
            2,
            "transform.py: error: --days is required (exit code 2)",
        ),
        ([], -9, "the script printed nothing (killed by SIGKILL)"),
    ],
)
def test_a_failure_is_described_in_one_line(lines: list[str], code: int, message: str) -> None:
    assert error_message(lines, code) == message


def test_the_path_of_the_state_folder_may_contain_spaces(tmp_path: Path) -> None:
    """pyspark splits PYSPARK_SUBMIT_ARGS as a shell does."""
    config = Config(state=tmp_path, glue=GlueSettings(python=Path(sys.executable), jars=()), port=14599)
    folder = tmp_path / "my project" / "run"
    variables = spark.environment(config, folder, {}, [])
    option, file, application = shlex.split(variables["PYSPARK_SUBMIT_ARGS"])
    assert (option, application) == ("--properties-file", "pyspark-shell")
    assert f"spark.local.dir {folder}/tmp" in Path(file).read_text().splitlines()


def test_an_archive_of_classes_is_used_where_it_exists(tmp_path: Path) -> None:
    archive = tmp_path / "my home" / "spark.jsa"
    settings = GlueSettings(python=Path(sys.executable), jars=(), class_data=archive)
    config = Config(state=tmp_path, glue=settings, port=14599)
    assert "Archive" not in spark.properties(config, tmp_path)["spark.driver.extraJavaOptions"]
    archive.parent.mkdir()
    archive.touch()
    words = shlex.split(spark.properties(config, tmp_path)["spark.driver.extraJavaOptions"])
    assert f"-XX:SharedArchiveFile={archive}" in words
    folders = {spark.environment(config, tmp_path / run, {}, [])["SPARK_CONF_DIR"] for run in ("one", "two")}
    assert len(folders) == 1, "the JVM refuses an archive that was made with another class path"


def test_an_archive_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    """This environment has no Spark."""
    settings = GlueSettings(python=Path(sys.executable), jars=(), class_data=tmp_path / "spark.jsa")
    with pytest.raises(LocalCloudError, match=r"Glue jobs start slowly[\s\S]*No module named"):
        make_archive(Config(state=tmp_path, glue=settings, port=14599))
    assert list(tmp_path.glob("*.jsa")) == []
    unset = GlueSettings(python=Path(sys.executable), jars=())
    with pytest.raises(ConfigError, match=r"glue\.class_data"):
        make_archive(Config(state=tmp_path, glue=unset, port=14599))
