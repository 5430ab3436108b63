"""A tuned retrain run on the stack: trials, the choice between them and the baseline, and the budget."""

from __future__ import annotations

import pytest

from infra.airflow_api import RunFailedError
from tests.support.loop import WORKLOAD, Loop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


def test_two_trials_compete_with_the_model(loop: Loop) -> None:
    loop.run("retrain", date=str(loop.days[0]), tune=2)
    sagemaker = loop.aws.sagemaker
    (job,) = sagemaker.list_hyper_parameter_tuning_jobs(StatusEquals="Completed")["HyperParameterTuningJobSummaries"]
    name = job["HyperParameterTuningJobName"]
    trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    found = [trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for trial in trials["TrainingJobSummaries"]]
    assert len(found) == 2 and all(0.5 < auc < 1 for auc in found)
    notes = [run["note"] or "" for run in loop.airflow.runs(f"{WORKLOAD}_retrain")]
    (note,) = [text for text in notes if "2 trials, 2 at a time" in text]
    assert "has a validation AUC of" in note or "beats the validation AUC" in note


def test_more_trials_than_the_budget_pays_for_fail_at_once_with_the_sum(loop: Loop) -> None:
    with pytest.raises(RunFailedError, match=r"90 trials may cost \$1\.84"):
        loop.run("retrain", date=str(loop.days[0]), tune=90)
