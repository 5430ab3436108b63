"""A tuning job over a stop and a kill of the server: it continues, with its trials so far."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.localcloud.errors import SERVER_ENDED
from tests.support.restarts import RestartedCloud
from tests.support.tuning_jobs import ended_tuning, put_data, trials_of, tuning, tuning_images

pytestmark = pytest.mark.stack
KINDS = {"CategoricalParameterRanges": [{"Name": "kind", "Values": ["well", "slow", "mute", "bad"]}]}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RestartedCloud]:
    with RestartedCloud(tmp_path, images=tuning_images(tmp_path)) as running:
        yield running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_continues_where_it_was(server: RestartedCloud, number: signal.Signals) -> None:
    put_data(server.cloud)
    request = tuning("over", None, parallel=1, strategy="Grid", ranges=KINDS)
    server.cloud.client("sagemaker").create_hyper_parameter_tuning_job(**request)
    sagemaker = server.cloud.client("sagemaker")

    def second_trains() -> bool:
        trials = trials_of(server.cloud, "over")
        return len(trials) == 2 and (
            sagemaker.describe_training_job(TrainingJobName=trials[1]["TrainingJobName"])["SecondaryStatus"]
            == "Training"
        )

    server.cloud.wait_until(second_trains)
    first = trials_of(server.cloud, "over")[0]
    cloud = server.restart(number)
    job, trials = ended_tuning(cloud, "over"), trials_of(cloud, "over")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert trials[0] == first == job["BestTrainingJob"]
    assert [trial["TunedHyperParameters"]["kind"] for trial in trials] == ["well", "slow", "mute", "bad"]
    assert [trial["TrainingJobStatus"] for trial in trials] == ["Completed", "Failed", "Completed", "Failed"]
    assert trials[1]["FailureReason"] == SERVER_ENDED
    counted = {name: count for name, count in job["TrainingJobStatusCounters"].items() if count}
    assert counted == {"Completed": 2, "RetryableError": 1, "NonRetryableError": 1}


def test_a_job_that_was_stopping_is_stopped(server: RestartedCloud) -> None:
    put_data(server.cloud)
    sagemaker = server.cloud.client("sagemaker")
    sagemaker.create_hyper_parameter_tuning_job(**tuning("stopping", 3, kind="slow"))
    server.cloud.wait_until(lambda: len(trials_of(server.cloud, "stopping")) == 2)
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopping")
    cloud = server.restart(signal.SIGKILL)
    assert ended_tuning(cloud, "stopping")["HyperParameterTuningJobStatus"] == "Stopped"
    assert len(trials_of(cloud, "stopping")) == 2
