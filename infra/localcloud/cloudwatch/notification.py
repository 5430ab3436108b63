"""What CloudWatch tells SNS topics of an alarm whose state changes, and whether it may."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import botocore.session
from moto.core.exceptions import ServiceException
from moto.sns.models import sns_backends

from infra.localcloud.actions import Members
from infra.localcloud.authorization import resource_policies
from infra.localcloud.authorization.context import RequestContext
from infra.localcloud.authorization.evaluation import Question, decide
from infra.localcloud.authorization.lookups import key_arn
from infra.localcloud.authorization.principals import IdentityPolicies, Principal
from infra.localcloud.cloudwatch.alarms import ACTIONS, Alarm, MetricAlarm, stamp

_SERVICE = "cloudwatch.amazonaws.com"
_SUBJECT = 100
_STATISTICS = {"SampleCount": "SAMPLE_COUNT"}


@cache
def region_name(region: str) -> str:
    """A region's name in plain words, such as ``US East (N. Virginia)``; the region itself if it has none."""
    endpoints: dict[str, Any] = botocore.session.get_session().get_data("endpoints")
    known = {name: entry for partition in endpoints["partitions"] for name, entry in partition["regions"].items()}
    return str(known.get(region, {}).get("description", region))


def subject(alarm: Alarm, region: str) -> str:
    """The subject of the message."""
    return f'{alarm.state}: "{alarm.name}" in {region_name(region)}'[:_SUBJECT]


def message(alarm: Alarm, before: str, account: str, region: str) -> str:
    """The message: JSON in the form that CloudWatch sends."""
    own = alarm.configuration
    body = {
        "AlarmName": alarm.name,
        "AlarmDescription": own.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configured),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": stamp(alarm.updated),
        "Region": region_name(region),
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        **{member: own.get(member) or [] for member in ACTIONS.values()},
        **(_cause(alarm) if not isinstance(alarm, MetricAlarm) else {"Trigger": _trigger(alarm)}),
    }
    return json.dumps(body)


def _cause(alarm: Alarm) -> Members:
    """The rule of a composite alarm, and the alarm whose change of state made it true or false."""
    causes = json.loads(alarm.reason_data or "{}").get("triggeringAlarms", [])
    children = [
        {"Arn": one["arn"], "State": {"Value": one["state"]["value"], "Timestamp": one["state"]["timestamp"]}}
        for one in causes
    ]
    return {"AlarmRule": alarm.configuration["AlarmRule"], "TriggeringChildren": children}


def _trigger(alarm: MetricAlarm) -> Members:
    own = alarm.configuration
    rule = alarm.rule
    judged = {
        "EvaluationPeriods": rule.periods,
        "DatapointsToAlarm": rule.to_alarm,
        "ComparisonOperator": rule.comparison,
        "Threshold": rule.threshold,
        "TreatMissingData": rule.missing,
        "EvaluateLowSampleCountPercentile": own.get("EvaluateLowSampleCountPercentile") or "",
    }
    if own.get("Metrics"):
        return {"Period": alarm.period, **judged, "Metrics": [_query(query) for query in own["Metrics"]]}
    if statistic := own.get("Statistic"):
        kind = {"StatisticType": "Statistic", "Statistic": _STATISTICS.get(statistic, statistic.upper())}
    else:
        kind = {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": own["ExtendedStatistic"]}
    return {
        "MetricName": own["MetricName"],
        "Namespace": own["Namespace"],
        **kind,
        "Unit": own.get("Unit"),
        "Dimensions": _dimensions(own.get("Dimensions")),
        "Period": alarm.period,
        **judged,
    }


def _query(query: Members) -> Members:
    written = {"Id": query["Id"], "ReturnData": query.get("ReturnData", True)}
    written |= {name: query[name] for name in ("Expression", "Label", "Period") if query.get(name)}
    if asked := query.get("MetricStat"):
        metric = {**asked["Metric"], "Dimensions": _dimensions(asked["Metric"].get("Dimensions"))}
        written["MetricStat"] = {**asked, "Metric": metric}
    return written


def _dimensions(dimensions: list[dict[str, str]] | None) -> list[dict[str, str]]:
    return [{"value": one["Value"], "name": one["Name"]} for one in dimensions or ()]


def publish(alarm: Alarm, before: str, topic: str, account: str) -> str | None:
    """Publishes a change of state to a topic.

    Returns:
        Why the topic did not get it; None if it did.
    """
    region = topic.split(":")[3]
    if refusal := _refusal(alarm, topic, account, region):
        return refusal
    try:
        text = message(alarm, before, account, alarm.alarm_arn.split(":")[3])
        sns_backends[account][region].publish(text, arn=topic, subject=subject(alarm, alarm.alarm_arn.split(":")[3]))
    except (ServiceException, OSError) as error:
        return str(error) or type(error).__name__
    return None


def _refusal(alarm: Alarm, topic: str, account: str, region: str) -> str | None:
    """Why CloudWatch may not publish to a topic: by the topic's policy, or by that of the key that encrypts it."""
    found = sns_backends[account][region].topics.get(topic)
    if found is None:
        return f"The topic {topic} does not exist"
    asked = [("sns:Publish", topic)]
    if key := getattr(found, "kms_master_key_id", None):
        asked += [(action, key_arn(key, region, account)) for action in ("kms:GenerateDataKey", "kms:Decrypt")]
    context = RequestContext(
        {
            "aws:sourcearn": (alarm.alarm_arn,),
            "aws:sourceaccount": (account,),
            "aws:sourceowner": (account,),
            "aws:securetransport": ("true",),
            "kms:viaservice": (f"sns.{region}.amazonaws.com",),
        }
    )
    for action, resource in asked:
        policy = resource_policies.of(action, resource, region, account)
        # A statement for everyone, such as that of a topic's default policy, is for services too.
        callers = (Principal("service", _SERVICE, account), Principal("anonymous", _SERVICE))
        decisions = [
            decide(Question(caller, action, resource, context), IdentityPolicies(), policy) for caller in callers
        ]
        denied = [decision for decision in decisions if not decision.allowed]
        explicit = [decision for decision in denied if decision.policy]
        if explicit or len(denied) == len(decisions):
            reason = (explicit or denied)[0].reason
            return f"{_SERVICE} is not authorized to perform: {action} on resource: {resource} {reason}"
    return None
