"""Costs as CloudWatch metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from include.pipelines.cost.budget import Costs, costs_of
from include.pipelines.cost.meters import Sizes, meter_service, meter_storage
from include.pipelines.protocols import StateStore
from include.settings import Settings
from include.workloads import Workload

NAMESPACE = "Nightjar/Cost"


Publish = Callable[[str, Sequence[Mapping[str, Any]]], None]
"""(namespace, data in the form of PutMetricData): ``nightjar.metrics.publish_metrics``."""


def put_costs(
    workload: Workload,
    settings: Settings,
    present: datetime,
    tasks: int,
    *,
    state: StateStore,
    sizes: Sizes,
    publish: Publish,
) -> Costs:
    """Meters the service and storage, and puts what the workload has cost today and this month.

    Args:
        workload: The workload.
        settings: The buckets.
        present: The present.
        tasks: Tasks of its service that run.
        state: The state table, with the ledger.
        sizes: S3.
        publish: CloudWatch.
    """
    meter_service(workload, tasks, present, state)
    meter_storage(workload, settings, present, sizes, state)
    costs = costs_of(workload, state, present)
    values = {
        "UsdToday": costs.spent["today"],
        "UsdMonth": costs.spent["month"],
        "UsdMonthForecast": costs.forecast["month"],
    }
    dimensions = [{"Name": "Workload", "Value": workload.name}]
    publish(
        NAMESPACE,
        [
            {"MetricName": name, "Dimensions": dimensions, "Timestamp": present, "Value": usd, "Unit": "None"}
            for name, usd in values.items()
        ],
    )
    return costs
