"""MLflow's API, as far as tracking needs it. Only :mod:`include.training.tracking` imports this module."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from include.training.findings import Findings

EXPERIMENT = "nightjar-{workload}"
JOB_TAG = "nightjar.job"
BATCH = 900  # MLflow takes a thousand metrics in a request
VALUE_LENGTH = 6000  # MLflow's limit of a parameter


def write(uri: str, findings: Findings) -> None:
    """Adds findings to the run of their training job, which is created if it does not exist.

    Raises:
        LookupError: The findings name no job.
    """
    if not findings.job:
        raise LookupError("the environment does not say which training job this is")
    client = MlflowClient(tracking_uri=uri)
    run = _run(client, _experiment(client, EXPERIMENT.format(workload=findings.workload)), findings.job)
    metrics = [*_metrics(findings, int(time.time() * 1000))]
    parameters = [Param(name, str(value)[:VALUE_LENGTH]) for name, value in findings.parameters.items()]
    tags = [RunTag(name, value) for name, value in findings.tags.items()]
    client.log_batch(run, metrics[:BATCH], parameters, tags)
    for start in range(BATCH, len(metrics), BATCH):
        client.log_batch(run, metrics[start : start + BATCH])
    client.set_terminated(run, "FINISHED")
    for name, text in findings.documents.items():  # last, because the server's storage may refuse them
        client.log_text(run, text, name)


def _experiment(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)  # another job was first
    if found is None or found.lifecycle_stage != "active":
        raise RuntimeError(f"the experiment {name} is deleted: restore it in MLflow")
    return str(found.experiment_id)


def _run(client: MlflowClient, experiment: str, job: str) -> str:
    """Returns the id of the job's run, the oldest if there are several."""
    chosen = f"tags.`{JOB_TAG}` = '{job}'"
    found = client.search_runs([experiment], chosen, order_by=["attributes.start_time ASC"], max_results=1)
    run = found[0] if found else client.create_run(experiment, tags={JOB_TAG: job}, run_name=job)
    return str(run.info.run_id)


def _metrics(findings: Findings, instant: int) -> Iterator[Metric]:
    for name, value in findings.metrics.items():
        if math.isfinite(value):
            yield Metric(name, value, instant, 0)
    for name, steps in findings.curves.items():
        for step, value in steps.items():
            if math.isfinite(value):
                yield Metric(name, value, instant, step)
