"""The API's actions on metrics and alarms."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from moto.cloudwatch.responses import CloudWatchResponse

from infra.localcloud.actions import AwsError, Members, answered_by
from infra.localcloud.cloudwatch import alarm_rules, composites
from infra.localcloud.cloudwatch.alarms import Alarm, MetricAlarm, arn_of
from infra.localcloud.cloudwatch.composites import CompositeAlarm
from infra.localcloud.cloudwatch.data import epoch, metric_key
from infra.localcloud.cloudwatch.models import CloudWatchBackend
from infra.localcloud.cloudwatch.pages import page

_PAGE = 100
_KINDS = ("MetricAlarm", "CompositeAlarm")


def backend_of(response: CloudWatchResponse) -> CloudWatchBackend:
    """The backend of a moto response."""
    backend: Any = response.cloudwatch_backend
    assert isinstance(backend, CloudWatchBackend)
    return backend


_answered = answered_by(backend_of)


@_answered
def put_metric_alarm(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers PutMetricAlarm: replaces the configuration of an alarm of this name, whose state stays."""
    alarm_rules.check(request)
    if request["AlarmName"] in backend.composites:
        raise AwsError("ValidationError", f"There is a composite alarm with the name {request['AlarmName']}.")
    alarm = _put(backend, backend.alarms, MetricAlarm, request)
    backend.evaluator.put(alarm)
    backend.wake()
    return {}


@_answered
def put_composite_alarm(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers PutCompositeAlarm: as PutMetricAlarm; its rule is evaluated at once."""
    composites.check(request, backend.all_alarms, backend.composites)
    backend.wake()
    backend.evaluate_composite(_put(backend, backend.composites, CompositeAlarm, request), None, time.time())
    return {}


def _put[A: Alarm](backend: CloudWatchBackend, known: dict[str, A], kind: type[A], request: Members) -> A:
    """Creates an alarm, or replaces its configuration."""
    tags = request.pop("Tags", None)
    now, name = time.time(), request["AlarmName"]
    configuration = {key: value for key, value in request.items() if value is not None}
    alarm = known.get(name)
    if alarm:
        alarm.configuration, alarm.configured = configuration, now
        change, summary = "Update", f'Alarm "{name}" updated'
    else:
        arn = arn_of(name, backend.account_id, backend.region_name)
        alarm = known[name] = kind(arn, configuration, now)
        if tags:
            backend.tagger.tag_resource(arn, tags)
        change, summary = "Create", f'Alarm "{name}" created'
    backend.record(alarm, "ConfigurationUpdate", summary, {"type": change}, now)
    return alarm


@_answered
def describe_alarms(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers DescribeAlarms. Without AlarmTypes it lists metric alarms only, as on AWS."""
    names, prefix = request.get("AlarmNames"), request.get("AlarmNamePrefix") or ""
    state, action = request.get("StateValue"), request.get("ActionPrefix")
    kinds = request.get("AlarmTypes") or ["MetricAlarm"]
    chosen = [
        alarm
        for name, alarm in backend.all_alarms.items()
        if alarm.KIND in kinds
        and (not names or name in names)
        and name.startswith(prefix)
        and state in (None, alarm.state)
        and (not action or any(arn.startswith(action) for arn in alarm.configuration.get("AlarmActions") or ()))
    ]
    listed, token = page(chosen, request, "MaxRecords", _PAGE)
    of_kind = {kind: [one.description() for one in listed if kind == one.KIND] for kind in _KINDS}
    return {**{f"{kind}s": found for kind, found in of_kind.items()}, **token}


@_answered
def describe_alarms_for_metric(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers DescribeAlarmsForMetric: alarms on this one metric, not those of metric math."""
    wanted = metric_key(request["Namespace"], request["MetricName"], request.get("Dimensions") or ())
    same = ("Statistic", "ExtendedStatistic", "Period", "Unit")
    return {
        "MetricAlarms": [
            alarm.description()
            for alarm in backend.alarms.values()
            if not alarm.configuration.get("Metrics")
            and alarm.metrics == {wanted}
            and all(request.get(name) in (None, alarm.configuration.get(name)) for name in same)
        ]
    }


@_answered
def delete_alarms(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers DeleteAlarms. A name that no alarm has is ignored, as on AWS."""
    names = request.get("AlarmNames") or ()
    composites.refuse_used(names, backend.composites)
    for name in names:
        if alarm := backend.alarms.pop(name, None) or backend.composites.pop(name, None):
            backend.tagger.delete_all_tags_for_resource(alarm.alarm_arn)
            backend.record(alarm, "ConfigurationUpdate", f'Alarm "{name}" deleted', {"type": "Delete"}, time.time())
    return {}


@_answered
def set_alarm_state(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers SetAlarmState. The next evaluation sets the state that the data have."""
    data = request.get("StateReasonData")
    try:
        json.loads(data or "{}")
    except ValueError:
        raise AwsError("InvalidFormat", "StateReasonData is not valid JSON") from None
    alarm = backend.all_alarms.get(request["AlarmName"])
    if alarm is None:
        raise AwsError("ResourceNotFound", "The named resource does not exist.")
    backend.set_state(alarm, request["StateValue"], request["StateReason"], data, time.time())
    return {}


def _enabled(alarms: Iterable[Alarm], names: Iterable[str], enabled: bool) -> Members:
    for alarm in alarms:
        if alarm.name in names:
            alarm.configuration["ActionsEnabled"] = enabled
    return {}


@_answered
def enable_alarm_actions(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers EnableAlarmActions."""
    return _enabled(backend.all_alarms.values(), request["AlarmNames"], True)


@_answered
def disable_alarm_actions(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers DisableAlarmActions."""
    return _enabled(backend.all_alarms.values(), request["AlarmNames"], False)


@_answered
def describe_alarm_history(backend: CloudWatchBackend, request: Members) -> Members:
    """Answers DescribeAlarmHistory, the newest entry first."""
    name, kind = request.get("AlarmName"), request.get("HistoryItemType")
    types = request.get("AlarmTypes") or ["MetricAlarm"]
    start, end = (epoch(request[key]) if request.get(key) else None for key in ("StartDate", "EndDate"))
    chosen = [
        entry
        for entry in backend.alarm_history
        if entry["AlarmType"] in types
        and name in (None, entry["AlarmName"])
        and kind in (None, entry["HistoryItemType"])
        and (start is None or entry["Timestamp"].timestamp() >= start)
        and (end is None or entry["Timestamp"].timestamp() <= end)
    ]
    if request.get("ScanBy") != "TimestampAscending":
        chosen.reverse()
    listed, token = page(chosen, request, "MaxRecords", _PAGE)
    return {"AlarmHistoryItems": listed, **token}


ACTIONS = (
    put_metric_alarm, put_composite_alarm, describe_alarms, describe_alarms_for_metric, delete_alarms, set_alarm_state,
    enable_alarm_actions, disable_alarm_actions, describe_alarm_history,
)  # fmt: skip
