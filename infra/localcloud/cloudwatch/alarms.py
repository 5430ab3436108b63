"""Alarms as they are stored: their configuration in the API's members, and their state. See also composites.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from infra.localcloud.actions import Members
from infra.localcloud.cloudwatch.data import MetricKey
from infra.localcloud.cloudwatch.evaluation import Rule
from infra.localcloud.cloudwatch.queries import metric_of, period_of

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
# The member with the actions of each state.
ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT: "InsufficientDataActions"}
_OWN_METRIC = "own"


class Alarm:
    """What metric alarms and composite alarms have in common.

    Args:
        arn: Its ARN.
        configuration: The members of the request that put it, without Tags.
        now: The present Unix time.
    """

    KIND: ClassVar[str]

    def __init__(self, arn: str, configuration: Members, now: float) -> None:
        self.alarm_arn = arn
        self.configuration = configuration
        self.configured = self.updated = self.transitioned = now
        self.state = INSUFFICIENT
        self.reason = "Unchecked: Initial alarm creation"
        self.reason_data: str | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.configuration["AlarmName"])

    @property
    def actions_enabled(self) -> bool:
        """Whether a change of its state has actions."""
        return bool(self.configuration.get("ActionsEnabled", True))

    def set_state(self, state: str, reason: str, data: str | None, now: float) -> str:
        """Sets its state; returns the state before."""
        before, self.state = self.state, state
        self.reason, self.reason_data, self.updated = reason, data, now
        if before != state:
            self.transitioned = now
        return before

    def description(self) -> Members:
        """Its members in the answer of DescribeAlarms."""
        return {
            **{name: [] for name in ACTIONS.values()},
            **{name: value for name, value in self.configuration.items() if value not in (None, "")},
            "ActionsEnabled": self.actions_enabled,
            "AlarmArn": self.alarm_arn,
            "AlarmConfigurationUpdatedTimestamp": instant(self.configured),
            "StateValue": self.state,
            "StateReason": self.reason,
            "StateUpdatedTimestamp": instant(self.updated),
            "StateTransitionedTimestamp": instant(self.transitioned),
            **({"StateReasonData": self.reason_data} if self.reason_data else {}),
        }


class MetricAlarm(Alarm):
    """An alarm on a metric, or on metric math."""

    KIND = "MetricAlarm"
    RUNTIME: ClassVar[dict[str, Any]] = {"evaluated": 0.0}

    def __init__(self, arn: str, configuration: Members, now: float) -> None:
        super().__init__(arn, configuration, now)
        self.evaluated = 0.0  # the end of the last period that was evaluated

    @property
    def queries(self) -> Sequence[Mapping[str, Any]]:
        """The queries of its metrics, as those of GetMetricData."""
        own = self.configuration
        if own.get("Metrics"):
            return list(own["Metrics"])
        metric = {"Namespace": own["Namespace"], "MetricName": own["MetricName"]}
        stat = own.get("Statistic") or own["ExtendedStatistic"]
        asked = {"Metric": {**metric, "Dimensions": own.get("Dimensions") or []}, "Period": own["Period"], "Stat": stat}
        if own.get("Unit"):
            asked["Unit"] = own["Unit"]
        return [{"Id": _OWN_METRIC, "MetricStat": asked}]

    @property
    def watched(self) -> Mapping[str, Any]:
        """The query whose values are compared with the threshold."""
        return next(query for query in self.queries if query.get("ReturnData", True))

    @property
    def period(self) -> int:
        """The length of a datapoint in seconds."""
        return period_of(self.watched, self.queries)

    @property
    def metrics(self) -> set[MetricKey]:
        """The metrics that it looks at."""
        return {metric_of(query) for query in self.queries if "MetricStat" in query}

    @property
    def rule(self) -> Rule:
        """How its datapoints are judged."""
        own = self.configuration
        periods = int(own["EvaluationPeriods"])
        return Rule(
            own["ComparisonOperator"],
            float(own["Threshold"]),
            periods,
            int(own.get("DatapointsToAlarm") or periods),
            own.get("TreatMissingData") or "missing",
        )

    def description(self) -> Members:
        """Its members in the answer of DescribeAlarms."""
        own = super().description()
        if "Metrics" in own:
            own["Metrics"] = [{**query, "ReturnData": query.get("ReturnData", True)} for query in own["Metrics"]]
        else:
            own.setdefault("Dimensions", [])
        return own


def instant(time: float) -> datetime:
    """A Unix time as the answers of the API have it."""
    return datetime.fromtimestamp(time, UTC)


def arn_of(name: str, account: str, region: str) -> str:
    """The ARN of an alarm."""
    return f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}"


def stamp(time: float) -> str:
    """A Unix time as CloudWatch writes it into texts: ``2026-11-28T22:05:12.345+0000``."""
    return instant(time).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
