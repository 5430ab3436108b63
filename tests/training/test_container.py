from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from include.training import container
from include.training.container import JobError


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_ROOT", str(tmp_path))
    return tmp_path


def _fail(error: Exception) -> Callable[[], None]:
    def main() -> None:
        raise error

    return main


def test_a_job_error_is_reported_without_a_traceback(root):
    with pytest.raises(SystemExit) as caught:
        container.run(_fail(JobError("the channel is empty")))
    assert caught.value.code == 1
    assert (root / "output/failure").read_text() == "JobError: the channel is empty"


def test_another_exception_is_reported_with_its_traceback_within_sagemakers_limit(root, capsys):
    with pytest.raises(SystemExit):
        container.run(_fail(KeyError("x" * 3000)))
    text = (root / "output/failure").read_text()
    assert text.startswith("KeyError") and len(text) == container.FAILURE_CHARACTERS
    assert "Traceback" in capsys.readouterr().err


def test_success_leaves_no_failure_file(root):
    container.run(lambda: None)
    assert not (root / "output/failure").exists()


def test_missing_channels_and_documents_are_named(root):
    with pytest.raises(JobError, match="no channel train"):
        container.channel("train")
    with pytest.raises(JobError, match="no processing input test"):
        container.processing_input("test")
    folder = root / "processing/input/champion"
    folder.mkdir(parents=True)
    assert not container.has_processing_input("champion")
    with pytest.raises(JobError, match="must contain one file, but contains 0"):
        container.only_file(folder)


def test_a_job_writes_its_metrics_to_standard_output(root):
    code = "from include.training import container; container.run(lambda: container.log_metric('auc', '0.75'))"
    job = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (job.stdout, job.stderr) == ("metric:auc=0.75\n", "")


def test_hyperparameters_are_optional(root):
    assert container.hyperparameters() == {}
