"""A retrain run: plan the data set, gate it and request the jobs, register the result."""

from __future__ import annotations

from include.pipelines.deploy.live_log import LiveStateError
from include.pipelines.retrain.finished import FinishedJobs
from include.pipelines.retrain.hooks import RetrainHooks
from include.pipelines.retrain.missing import missing_sentence
from include.pipelines.retrain.plan import DatasetPlan, plan_dataset
from include.pipelines.retrain.prepare import PreparedRun, prepare
from include.pipelines.retrain.register import RegisteredPackage, deployable_version, register

__all__ = [
    "DatasetPlan",
    "FinishedJobs",
    "LiveStateError",
    "PreparedRun",
    "RegisteredPackage",
    "RetrainHooks",
    "deployable_version",
    "missing_sentence",
    "plan_dataset",
    "prepare",
    "register",
]
