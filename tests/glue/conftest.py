from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One small session for all tests: two cores, the quick compiler, no web UI, no port but loopback's."""
    from include.glue.session import spark_session

    with pytest.MonkeyPatch.context() as patch:
        options = "--master local[2] --driver-java-options -XX:TieredStopAtLevel=1 --conf spark.ui.enabled=false"
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"{options} --conf spark.driver.bindAddress=127.0.0.1 pyspark-shell")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        session = spark_session("tests")
        yield session
        session.stop()
