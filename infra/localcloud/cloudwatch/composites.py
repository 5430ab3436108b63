"""Composite alarms: their state follows from the states of other alarms."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from infra.localcloud.actions import AwsError, Members
from infra.localcloud.cloudwatch import alarm_rules, rule_expression
from infra.localcloud.cloudwatch.alarms import ALARM, OK, Alarm, instant, stamp


class CompositeAlarm(Alarm):
    """An alarm with a rule over other alarms."""

    KIND = "CompositeAlarm"

    @property
    def children(self) -> frozenset[str]:
        """The names of the alarms in its rule."""
        return frozenset(rule_expression.parse(self.configuration["AlarmRule"]).alarms())

    def state_for(self, states: Mapping[str, str]) -> str:
        """The state that it has for the states of the other alarms, by name."""
        return ALARM if rule_expression.parse(self.configuration["AlarmRule"]).holds(states) else OK


def check(request: Members, alarms: Mapping[str, Alarm], composites: Mapping[str, CompositeAlarm]) -> None:
    """Checks the members of PutCompositeAlarm.

    Raises:
        AwsError: CloudWatch rejects them (ValidationError).
        NotImplementedError: The rule would not be evaluated, or an action would not be done.
    """
    name = request["AlarmName"]
    children = set(rule_expression.parse(request["AlarmRule"]).alarms())
    if missing := sorted(children - set(alarms)):
        raise AwsError(
            "ValidationError",
            f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule do not exist",
        )
    if name in alarms and name not in composites:
        raise AwsError("ValidationError", f"There is a metric alarm with the name {name}.")
    reached, ahead = set[str](), children
    while ahead:
        reached |= ahead
        ahead = {child for one in ahead if one in composites for child in composites[one].children} - reached
    if name in reached:
        raise NotImplementedError("a composite alarm that depends on itself would never be evaluated")
    alarm_rules.check_actions(request)


def refuse_used(names: Iterable[str], composites: Mapping[str, CompositeAlarm]) -> None:
    """Refuses to delete alarms on which composite alarms depend.

    Raises:
        AwsError: One does, or several composite alarms are to be deleted by one request (ValidationError).
    """
    deleted = list(names)
    used = [name for name in deleted if any(name in composite.children for composite in composites.values())]
    if used:
        whom = "it" if len(used) == 1 else "them"
        text = f"Cannot delete {','.join(used)} as there are composite alarm(s) depending on {whom}."
        raise AwsError("ValidationError", text)
    if sum(name in composites for name in deleted) > 1:
        raise AwsError("ValidationError", "Only one composite alarm can be deleted by a request.")


def reason(cause: Alarm | None, composite: CompositeAlarm, state: str) -> str:
    """Why a composite alarm changes its state, in CloudWatch's words.

    Args:
        cause: The alarm whose state changed; None when the composite alarm was put.
        composite: The alarm.
        state: Its new state.
    """
    if cause is None:
        return f"{composite.alarm_arn} was created and its alarm rule evaluates to {state}"
    when = f"{instant(cause.updated):%A %d %B, %Y %H:%M:%S} UTC"
    return f"{cause.alarm_arn} transitioned to {cause.state} at {when}"


def triggering(cause: Alarm | None) -> list[Members]:
    """The alarm whose state changed, as it goes with a reason."""
    if cause is None:
        return []
    return [{"arn": cause.alarm_arn, "state": {"value": cause.state, "timestamp": stamp(cause.updated)}}]


def reason_data(cause: Alarm | None) -> str:
    """The JSON that goes with a reason."""
    return json.dumps({"triggeringAlarms": triggering(cause)})
