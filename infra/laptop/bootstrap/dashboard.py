"""The dashboard ``nightjar``: the state of the alarms, and the rows of ``infra/definitions/dashboard.yaml``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from include.workloads import Workload
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.alarms import Dimensions
from infra.laptop.bootstrap.definitions import definition

NAME = "nightjar"
_KINDS = ["MetricAlarm", "CompositeAlarm"]


def widgets(workload: Workload, named: Dimensions) -> list[dict[str, Any]]:
    """The rows of a workload."""
    found: list[dict[str, Any]] = definition(
        "dashboard",
        workload=workload.name,
        stream=workload.stream.name,
        load_balancer=named.load_balancer,
        target_group=named.target_group,
    )["widgets"]
    return found


def create(aws: Aws, workloads: Mapping[str, tuple[Workload, Dimensions]]) -> None:
    """Creates the dashboard, or replaces it."""
    pages = aws.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix="nightjar-", AlarmTypes=_KINDS)
    arns = [alarm["AlarmArn"] for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for alarm in page[kind]]
    alarms = {"type": "alarm", "width": 24, "height": 4, "properties": {"title": "alarms", "alarms": arns}}
    rows = [widget for workload, named in workloads.values() for widget in widgets(workload, named)]
    aws.cloudwatch.put_dashboard(DashboardName=NAME, DashboardBody=json.dumps({"widgets": [alarms, *rows]}))
