"""A retrain run: plan the data set, gate it and request the jobs, register the result."""

from __future__ import annotations

from include.pipelines.cost.ledger import JobAccounts
from include.pipelines.deploy.live_log import LiveStateError
from include.pipelines.retrain import notes
from include.pipelines.retrain.dry_run import report_dry_run
from include.pipelines.retrain.finished import FinishedJobs
from include.pipelines.retrain.hooks import RetrainHooks
from include.pipelines.retrain.measure import measure_run
from include.pipelines.retrain.plan import DatasetPlan, plan_dataset
from include.pipelines.retrain.prepare import PreparedRun, is_backfilled, prepare
from include.pipelines.retrain.register import register
from include.pipelines.retrain.registered import RegisteredPackage, deployable_version

__all__ = [
    "DatasetPlan",
    "FinishedJobs",
    "JobAccounts",
    "LiveStateError",
    "PreparedRun",
    "RegisteredPackage",
    "RetrainHooks",
    "deployable_version",
    "is_backfilled",
    "measure_run",
    "notes",
    "plan_dataset",
    "prepare",
    "register",
    "report_dry_run",
]
