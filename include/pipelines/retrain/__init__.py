"""A retrain run: plan the data set, gate it, request the jobs, choose the model, register the result."""

from __future__ import annotations

from include.pipelines.cost.ledger import JobAccounts
from include.pipelines.deploy.live_log import LiveStateError
from include.pipelines.retrain import notes
from include.pipelines.retrain.approval import deploy_or_ask
from include.pipelines.retrain.asked import asked_of, is_backfilled
from include.pipelines.retrain.chosen import chosen_model
from include.pipelines.retrain.dry_run import end_dry_run
from include.pipelines.retrain.finished import FinishedJobs
from include.pipelines.retrain.hooks import RetrainHooks
from include.pipelines.retrain.measure import measure_run
from include.pipelines.retrain.plan import DatasetPlan, plan_dataset
from include.pipelines.retrain.prepare import PreparedRun, prepare
from include.pipelines.retrain.register import register
from include.pipelines.retrain.registered import RegisteredPackage
from include.pipelines.retrain.tuning import tuning_sentence

__all__ = [
    "DatasetPlan",
    "FinishedJobs",
    "JobAccounts",
    "LiveStateError",
    "PreparedRun",
    "RegisteredPackage",
    "RetrainHooks",
    "asked_of",
    "chosen_model",
    "deploy_or_ask",
    "end_dry_run",
    "is_backfilled",
    "measure_run",
    "notes",
    "plan_dataset",
    "prepare",
    "register",
    "tuning_sentence",
]
