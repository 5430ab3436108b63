"""The API's actions that read metrics."""

from __future__ import annotations

from typing import Any

from infra.localcloud.actions import AwsError, Members, answered_by
from infra.localcloud.cloudwatch import queries
from infra.localcloud.cloudwatch.alarm_actions import backend_of
from infra.localcloud.cloudwatch.alarms import instant
from infra.localcloud.cloudwatch.data import Grid, MetricKey, epoch, metric_key
from infra.localcloud.cloudwatch.models import CloudWatchBackend
from infra.localcloud.cloudwatch.pages import page
from infra.localcloud.cloudwatch.statistics import check_statistic, compute

_PAGE = 500
_answered = answered_by(backend_of)


def _range(request: Members) -> tuple[float, float]:
    start, end = epoch(request["StartTime"]), epoch(request["EndTime"])
    if start >= end:
        raise AwsError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    return start, end


@_answered
def get_metric_data(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers GetMetricData."""
    asked = request["MetricDataQueries"]
    queries.check(asked)
    start, end = _range(request)
    evaluation = queries.Evaluation(backend.readable(), asked, lambda period: Grid.between(start, end, period))
    newest_first = request.get("ScanBy") != "TimestampAscending"
    results = []
    for query in asked:
        for series in evaluation.series(query["Id"]) if query.get("ReturnData", True) else ():
            times = sorted(series, reverse=newest_first)
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label") or _label(query),
                    "Timestamps": [instant(time) for time in times],
                    "Values": [series[time] for time in times],
                    "StatusCode": "Complete",
                }
            )
    return {"MetricDataResults": results, "Messages": []}


def _label(query: Members) -> str:
    return str(query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query else query["Id"])


@_answered
def get_metric_statistics(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers GetMetricStatistics."""
    simple, extended = request.get("Statistics") or [], request.get("ExtendedStatistics") or []
    if not simple and not extended:
        raise AwsError("InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics")
    for name in (*simple, *extended):
        check_statistic(name)
    start, end = _range(request)
    metric = metric_key(request["Namespace"], request["MetricName"], request.get("Dimensions") or ())
    grid = Grid.between(start, end, int(request["Period"]))
    data = backend.readable().between(metric, grid.start, grid.end, request.get("Unit"))
    points = []
    for time, members in grid.grouped(data).items():
        point: Members = {"Timestamp": instant(time), "Unit": members[0].unit}
        point |= {name: compute(name, members) for name in simple}
        if extended:
            point["ExtendedStatistics"] = {name: compute(name, members) for name in extended}
        points.append(point)
    return {"Label": request["MetricName"], "Datapoints": points}


@_answered
def list_metrics(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers ListMetrics."""
    namespace, name = request.get("Namespace"), request.get("MetricName")
    filters = request.get("Dimensions") or []
    chosen = [
        metric
        for metric in backend.readable().metrics()
        if namespace in (None, metric.namespace)
        and name in (None, metric.name)
        and all(_has(metric, wanted) for wanted in filters)
    ]
    listed, token = page(chosen, request, "MaxRecords", _PAGE)
    return {"Metrics": [_described(metric) for metric in listed], **token}


def _has(metric: MetricKey, wanted: dict[str, Any]) -> bool:
    return any(name == wanted["Name"] and wanted.get("Value") in (None, value) for name, value in metric.dimensions)


def _described(metric: MetricKey) -> Members:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}


ACTIONS = (get_metric_data, get_metric_statistics, list_metrics)
