"""Checks an alarm when it is put: what CloudWatch rejects, and what is not evaluated here."""

from __future__ import annotations

from infra.localcloud.actions import AwsError, Members
from infra.localcloud.cloudwatch import queries
from infra.localcloud.cloudwatch.alarms import ACTIONS
from infra.localcloud.cloudwatch.evaluation import COMPARISONS

_MISSING = ("breaching", "notBreaching", "ignore", "missing")
_OF_ONE_METRIC = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_DAY, _WEEK, _HOUR = 86_400, 604_800, 3_600


def check(request: Members) -> None:
    """Checks the members of PutMetricAlarm.

    Raises:
        AwsError: CloudWatch rejects them (ValidationError).
        NotImplementedError: The alarm would not be evaluated, or an action would not be done.
    """
    for name in ("ComparisonOperator", "EvaluationPeriods", "Threshold"):
        if request.get(name) is None:
            raise _invalid(f"The parameter {name} is required")
    if request["ComparisonOperator"] not in COMPARISONS:
        raise NotImplementedError("bands of anomaly detection are not computed; compare with a threshold")
    missing = request.get("TreatMissingData")
    if missing and missing not in _MISSING:
        raise _invalid(f"Option {missing} is not supported. Supported options are {', '.join(_MISSING)}")
    if int(request.get("DatapointsToAlarm") or 1) > int(request["EvaluationPeriods"]):
        raise _invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    period = _check_metrics(request) if request.get("Metrics") else _check_metric(request)
    length = period * int(request["EvaluationPeriods"])
    if length > (_WEEK if period >= _HOUR else _DAY):
        raise _invalid("Metrics cannot be checked across more than a day (EvaluationPeriods * Period)")
    check_actions(request)


def check_actions(request: Members) -> None:
    """Checks the actions of an alarm. Raises as :func:`check`."""
    for member in ACTIONS.values():
        for arn in request.get(member) or ():
            _check_action(arn)


def _check_metric(request: Members) -> int:
    """Checks an alarm on one metric; returns its period."""
    for name in ("MetricName", "Namespace", "Period"):
        if not request.get(name):
            raise _invalid(f"The parameter {name} is required")
    if bool(request.get("Statistic")) == bool(request.get("ExtendedStatistic")):
        raise _invalid("Exactly one of Statistic and ExtendedStatistic is required")
    if extended := request.get("ExtendedStatistic"):
        queries.check_statistic(extended)
    period = int(request["Period"])
    if period not in (10, 20, 30) and period % 60:
        raise _invalid("Period must be 10, 20, 30 or a multiple of 60")
    return period


def _check_metrics(request: Members) -> int:
    """Checks an alarm on metric math; returns its period."""
    if both := [name for name in _OF_ONE_METRIC if request.get(name)]:
        raise _invalid(f"The parameters Metrics and {both[0]} are mutually exclusive")
    asked = request["Metrics"]
    returned = [query for query in asked if query.get("ReturnData", True)]
    if len(returned) != 1:
        raise _invalid("Exactly one element of the metrics list should return data")
    queries.check(asked)
    period = queries.period_of(returned[0], asked)
    if any(queries.period_of(query, asked) != period for query in asked):
        raise _invalid("All metrics of an alarm must have the same period")
    return period


def _check_action(arn: str) -> None:
    if not arn.startswith("arn:"):
        raise _invalid(f"Invalid arn syntax: {arn}")
    if not arn.startswith("arn:aws:sns:"):
        raise NotImplementedError(f"alarms publish to SNS topics; the action {arn} would not be done")


def _invalid(text: str) -> AwsError:
    return AwsError("ValidationError", f"{text}.")
