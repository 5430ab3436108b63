"""A monitor run: compare what arrives with the live version's training data, and predictions with late labels."""

from __future__ import annotations

from include.pipelines.deploy.live_log import LiveStateError
from include.pipelines.monitor import notes
from include.pipelines.monitor.metrics import NAMESPACE, metric_data
from include.pipelines.monitor.plan import MonitorHooks, MonitorRequest, load_baseline, plan_monitor
from include.pipelines.monitor.report import make_report
from include.pipelines.monitor.request import RetrainRun, request_retrain
from include.pipelines.monitor.store import store_report
from include.pipelines.monitor.types import MonitorPlan

__all__ = [
    "NAMESPACE",
    "LiveStateError",
    "MonitorHooks",
    "MonitorPlan",
    "MonitorRequest",
    "RetrainRun",
    "load_baseline",
    "make_report",
    "metric_data",
    "notes",
    "plan_monitor",
    "request_retrain",
    "store_report",
]
