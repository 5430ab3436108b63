"""CloudWatch: statistics and metric math of metrics, and alarms that are evaluated.

| file | subject |
|---|---|
| ``data.py``, ``statistics.py`` | metric data, periods, statistics of a period |
| ``math_parser.py``, ``math_values.py``, ``metric_math.py`` | metric math: its text, its values, its evaluation |
| ``queries.py`` | metric data queries, of GetMetricData and of alarms |
| ``alarms.py``, ``alarm_rules.py`` | an alarm as it is stored; what is checked when it is put |
| ``rule_expression.py``, ``composites.py`` | the rule of a composite alarm; composite alarms |
| ``evaluation.py``, ``evaluator.py`` | how datapoints are judged; when alarms are evaluated |
| ``notification.py`` | the messages to SNS topics |
| ``embedded_metrics.py`` | metrics in log lines |
| ``service_metrics.py``, ``processes.py`` | metrics that services of AWS put by themselves |
| ``models.py``, ``alarm_actions.py``, ``metric_actions.py``, ``pages.py`` | the backend and the API |
"""

from __future__ import annotations

from moto.cloudwatch.models import cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse

from infra.localcloud.cloudwatch import alarm_actions, metric_actions
from infra.localcloud.cloudwatch.models import CloudWatchBackend
from infra.localcloud.cloudwatch.service_metrics import ServiceMetrics
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Puts this backend and these actions into moto."""
    replace_backend(cloudwatch_backends, CloudWatchBackend, context)
    add_actions(CloudWatchResponse, *alarm_actions.ACTIONS, *metric_actions.ACTIONS)
    context.background.loop("service-metrics", ServiceMetrics(context).step)
