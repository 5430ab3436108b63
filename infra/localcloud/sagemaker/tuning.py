"""Hyperparameter tuning jobs: trials are training jobs, whose objective is a metric in their logs.

A tuning job that was in progress when the server ended continues when it starts again; the trials that ran then have
failed, as every training job that ends with the server.
"""

from __future__ import annotations

import hashlib
import random
import sys
import threading
import time
import traceback
from collections import Counter
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import sagemaker_backends

from infra.localcloud.install import Context
from infra.localcloud.sagemaker import search_space
from infra.localcloud.sagemaker.median_rule import is_hopeless
from infra.localcloud.sagemaker.search_space import Parameters
from infra.localcloud.sagemaker.trial import Trial
from infra.localcloud.sagemaker.tuning_request import ranges_of, static_parameters, trial_limit, trial_request

POLL_SECONDS = 0.2
_ALL_FAILED = "All training jobs failed. Please take a look at the training jobs failures to get more details."
_NO_OBJECTIVE = "No objective metric was found in the logs of the training jobs. Check the Regex of its definition."


class TuningJob:
    """One tuning job.

    Args:
        context: The parts of the server.
        request: The request of CreateHyperParameterTuningJob, as ``tuning_request.check`` accepts it.
        account: The account of the ARN.
        region: The region of the ARN.
    """

    def __init__(self, context: Context, request: dict[str, Any], account: str, region: str) -> None:
        self.context = context
        self.request = request
        self.name: str = request["HyperParameterTuningJobName"]
        self.arn = f"arn:aws:sagemaker:{region}:{account}:hyper-parameter-tuning-job/{self.name}"
        self.tags: list[dict[str, str]] = list(request.get("Tags") or [])
        self.seed: int = self.config.get("RandomSeed", random.SystemRandom().randrange(2**31))
        self.status = "InProgress"
        self.failure_reason: str | None = None
        self.created_at = self.modified_at = utcnow()
        self.ended_at: Any = None
        self.trials: list[Trial] = []
        self._lock = threading.RLock()

    # --- the request ---

    @property
    def config(self) -> dict[str, Any]:
        """HyperParameterTuningJobConfig."""
        config: dict[str, Any] = self.request["HyperParameterTuningJobConfig"]
        return config

    @property
    def definition(self) -> dict[str, Any]:
        """TrainingJobDefinition."""
        definition: dict[str, Any] = self.request["TrainingJobDefinition"]
        return definition

    @property
    def objective(self) -> dict[str, str]:
        """HyperParameterTuningJobObjective: ``Type`` and ``MetricName``."""
        objective: dict[str, str] = self.config["HyperParameterTuningJobObjective"]
        return objective

    @property
    def maximize(self) -> bool:
        """Whether a larger objective is better."""
        return self.objective["Type"] == "Maximize"

    # --- actions ---

    def start(self) -> None:
        """Runs the trials in a thread and returns at once."""
        self.context.background.run(f"tuning-{self.name}", self._run)

    def stop(self) -> None:
        """Stops the running trials, and starts no other.

        Raises:
            ValidationError: The job has ended.
        """
        with self._lock:
            if self.status == "Stopping":
                return
            if self.status != "InProgress":
                raise ValidationError(
                    f"The request was rejected because the hyperparameter tuning job is in status {self.status}."
                )
            self.status, self.modified_at = "Stopping", utcnow()

    def best(self) -> Trial | None:
        """The completed trial with the best objective; of equal ones the first."""
        measured = [trial for trial in self.trials if trial.value is not None and trial.status == "Completed"]
        sign = 1 if self.maximize else -1
        return max(measured, key=lambda trial: sign * (trial.value or 0.0), default=None)

    # --- the thread ---

    def _run(self) -> None:
        while True:
            try:
                if self._step():
                    return
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                for trial in self.trials:
                    trial.stop()
                with self._saved(), self._lock:
                    self._end("Failed", f"InternalServerError: {type(error).__name__}: {error}")
                return
            time.sleep(POLL_SECONDS)

    def _step(self) -> bool:
        """Notes trials that have ended, stops and starts others; returns whether the job has ended, or the server."""
        if self.context.runner.closing:
            return True
        for trial in self.trials:
            if not trial.measured and trial.status in ("Completed", "Stopped", "Failed"):
                with self._saved(), self._lock:
                    trial.measure(self._regex())
                    self.modified_at = utcnow()
        running = [trial for trial in self.trials if not trial.measured]
        self._stop_trials([trial for trial in running if trial.status == "InProgress"])
        with self._lock:
            is_stopping = self.status == "Stopping" or self._is_over_time()
            left = 0 if is_stopping else trial_limit(self.request) - len(self.trials)
            free = self.config["ResourceLimits"]["MaxParallelTrainingJobs"] - len(running)
            starts = max(min(left, free), 0)
            if not starts:
                if running:
                    return False
                with self._saved():
                    self._end_with_trials(is_stopping)
                return True
        for _ in range(starts):
            self._start_trial()
        return False

    def _stop_trials(self, running: list[Trial]) -> None:
        """Stops every running trial of a job that is stopped, and the hopeless ones where early stopping is on."""
        is_stopping = self.status == "Stopping" or self._is_over_time()
        early = self.config.get("TrainingJobEarlyStoppingType", "Off") == "Auto"
        completed = [trial.series for trial in self.trials if trial.status == "Completed" and trial.measured]
        for trial in running:
            if is_stopping or (early and is_hopeless(trial.values(self._regex()), completed, maximize=self.maximize)):
                trial.stop()

    def _start_trial(self) -> None:
        index = len(self.trials)
        parameters = self._propose(index)
        digest = hashlib.sha256(f"{self.arn} {index}".encode()).hexdigest()[:8]
        name = f"{self.name}-{index + 1:03d}-{digest}"
        with self._saved():
            job = self._backend.start_training(trial_request(self.request, name, parameters, self.arn))
            with self._lock:
                self.trials.append(Trial(name, parameters, job))
                self.modified_at = utcnow()

    def _propose(self, index: int) -> Parameters:
        ranges = ranges_of(self.request)
        if self.config["Strategy"] == "Grid":
            return search_space.grid_point(ranges, index)
        return search_space.random_point(ranges, self.seed, index, [trial.parameters for trial in self.trials])

    def _is_over_time(self) -> bool:
        limit = self.config["ResourceLimits"].get("MaxRuntimeInSeconds")
        return limit is not None and (utcnow() - self.created_at).total_seconds() > limit

    def _end_with_trials(self, is_stopping: bool) -> None:
        if is_stopping:
            self._end("Stopped")
        elif self.best():
            self._end("Completed")
        elif any(trial.status == "Completed" for trial in self.trials):
            self._end("Failed", _NO_OBJECTIVE)
        else:
            self._end("Failed", _ALL_FAILED)

    def _end(self, status: str, reason: str | None = None) -> None:
        self.status, self.failure_reason = status, reason
        self.modified_at = self.ended_at = utcnow()

    def _regex(self) -> str:
        definitions = self.definition["AlgorithmSpecification"].get("MetricDefinitions") or []
        return str(next(d["Regex"] for d in definitions if d["Name"] == self.objective["MetricName"]))

    @property
    def _backend(self) -> Any:
        """The backend, which imports this module."""
        config = self.context.config
        return sagemaker_backends[config.account][config.region]

    def _saved(self) -> Any:
        return self.context.state.background(self._backend)

    # --- descriptions ---

    def describe(self) -> dict[str, Any]:
        """DescribeHyperParameterTuningJob."""
        with self._lock:
            best, end = self.best(), self.ended_at or utcnow()
            description = {
                **self.summary(),
                "HyperParameterTuningJobConfig": self.config,
                "TrainingJobDefinition": {
                    **self.definition,
                    "StaticHyperParameters": static_parameters(self.request),
                },
                "BestTrainingJob": best and best.summary(self.objective),
                "FailureReason": self.failure_reason,
                "ConsumedResources": {"RuntimeInSeconds": int((end - self.created_at).total_seconds())},
            }
        for name in ("Strategy", "ResourceLimits"):
            del description[name]
        return {name: value for name, value in description.items() if value is not None}

    def summary(self) -> dict[str, Any]:
        """The job's entry in ListHyperParameterTuningJobs."""
        with self._lock:
            states = Counter(trial.counter for trial in self.trials)
            objectives = Counter(trial.objective_status for trial in self.trials)
            counters = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
            summary = {
                "HyperParameterTuningJobName": self.name,
                "HyperParameterTuningJobArn": self.arn,
                "HyperParameterTuningJobStatus": self.status,
                "Strategy": self.config["Strategy"],
                "CreationTime": self.created_at,
                "HyperParameterTuningEndTime": self.ended_at,
                "LastModifiedTime": self.modified_at,
                "TrainingJobStatusCounters": {name: states[name] for name in counters},
                "ObjectiveStatusCounters": {name: objectives[name] for name in ("Succeeded", "Pending", "Failed")},
                "ResourceLimits": self.config["ResourceLimits"],
            }
        return {name: value for name, value in summary.items() if value is not None}
