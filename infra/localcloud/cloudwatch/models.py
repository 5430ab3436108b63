"""moto's CloudWatch with metric data by metric, and with alarms that are evaluated."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar

from moto.cloudwatch.models import CloudWatchBackend as MotoCloudWatchBackend
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from infra.localcloud.actions import Members
from infra.localcloud.background import Loop, Pool
from infra.localcloud.cloudwatch import composites, evaluator, notification
from infra.localcloud.cloudwatch.alarms import ACTIONS, Alarm, MetricAlarm, instant
from infra.localcloud.cloudwatch.composites import CompositeAlarm
from infra.localcloud.cloudwatch.data import Datum, MetricIndex, epoch, metric_key, read_datum
from infra.localcloud.cloudwatch.evaluation import Verdict
from infra.localcloud.install import Context

_HISTORY_SECONDS = 30 * 86_400.0


class CloudWatchBackend(MotoCloudWatchBackend):
    """Metrics and alarms of one account and region."""

    context: ClassVar[Context]
    RUNTIME: ClassVar[dict[str, Any]] = {"index": None, "evaluator": None, "_loop": None, "_deliveries": None}

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.metric_data: list[Datum] = []  # type: ignore[assignment]  # in place of moto's objects
        self.alarms: dict[str, MetricAlarm] = {}  # type: ignore[assignment]  # in place of moto's objects
        self.composites: dict[str, CompositeAlarm] = {}
        self.alarm_history: list[Members] = []
        self.index = MetricIndex()
        self.evaluator = evaluator.Evaluator(self.index, lambda: list(self.alarms.values()), self._change)
        self._loop: Loop | None = None
        self._deliveries: Pool | None = None

    # --- start ---

    def restored(self) -> None:
        """Indexes the stored metric data."""
        self.index.add(self.metric_data)

    def resume(self) -> None:
        """Continues to evaluate the stored alarms."""
        if self.alarms or self.composites:
            self.wake()

    def wake(self) -> None:
        """Evaluates now what is due; the first time it starts the thread that does."""
        if self._loop is None:
            background, region = self.context.background, self.region_name
            self._deliveries = background.pool(f"alarm-actions-{region}", 1, stuck_seconds=None)
            self._loop = background.loop(f"alarms-{region}", self.evaluator.step)
        else:
            self._loop.wake()

    # --- metrics ---

    def put_metric_data(self, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        """PutMetricData."""
        for number, member in enumerate(metric_data, 1):
            self._validate_parameters_put_metric_data(member, number)
        now = time.time()
        self.add([read_datum(namespace, member, now) for member in metric_data])

    def add(self, data: list[Datum]) -> None:
        """Adds metric data, and evaluates the alarms that look at them."""
        self.metric_data += data
        self.index.add(data)
        if self.evaluator.arrived({datum.metric for datum in data}):
            self.wake()

    def readable(self) -> MetricIndex:
        """The metric data with those that S3 computes when they are read."""
        return self.index.with_more(_of_moto(datum) for datum in self.aws_metric_data)

    # --- alarms ---

    @property
    def all_alarms(self) -> dict[str, Alarm]:
        """Metric alarms and composite alarms by name, sorted."""
        found: dict[str, Alarm] = {**self.alarms, **self.composites}
        return dict(sorted(found.items()))

    def record(self, alarm: Alarm, kind: str, summary: str, data: Members, now: float) -> None:
        """Adds an entry to the alarm's history, and forgets entries of long ago."""
        entry = {"AlarmName": alarm.name, "AlarmType": alarm.KIND, "Timestamp": instant(now)}
        entry |= {"HistoryItemType": kind, "HistorySummary": summary, "HistoryData": json.dumps(data)}
        self.alarm_history.append(entry)
        if now - self.alarm_history[0]["Timestamp"].timestamp() > _HISTORY_SECONDS:
            kept = [one for one in self.alarm_history if now - one["Timestamp"].timestamp() <= _HISTORY_SECONDS]
            self.alarm_history = kept

    def set_state(self, alarm: Alarm, state: str, reason: str, data: str | None, now: float) -> None:
        """Sets an alarm's state, records it, and starts the actions of the new state. Composite alarms follow."""
        before = alarm.set_state(state, reason, data, now)
        change = {"oldState": before, "newState": state, "reason": reason}
        self.record(alarm, "StateUpdate", f"Alarm updated from {before} to {state}", change, now)
        if before != state and alarm.actions_enabled and self._deliveries:
            for topic in alarm.configuration.get(ACTIONS[state]) or ():
                self._deliveries.submit(self._publish, alarm, before, topic)
        if before != state:
            for composite in list(self.composites.values()):
                if alarm.name in composite.children:
                    self.evaluate_composite(composite, alarm, now)

    def evaluate_composite(self, composite: CompositeAlarm, cause: Alarm | None, now: float) -> None:
        """Evaluates the rule of a composite alarm after another alarm's change, or because it was put."""
        state = composite.state_for({name: alarm.state for name, alarm in self.all_alarms.items()})
        if state != composite.state:
            reason = composites.reason(cause, composite, state)
            self.set_state(composite, state, reason, composites.reason_data(cause), now)

    def _change(self, alarm: MetricAlarm, verdict: Verdict, now: float) -> None:
        with self.context.state.background(self):
            data = evaluator.reason_data(alarm, verdict, now)
            self.set_state(alarm, str(verdict.state), verdict.reason, data, now)

    def _publish(self, alarm: Alarm, before: str, topic: str) -> None:
        with self._saved(topic.split(":")[3]):
            refusal = notification.publish(alarm, before, topic, self.account_id)
            summary = f"Failed to execute action {topic}" if refusal else f"Successfully executed action {topic}"
            data = {"actionState": "Failed" if refusal else "Succeeded", "notificationResource": topic}
            self.record(alarm, "Action", summary, data | ({"error": refusal} if refusal else {}), time.time())

    @contextmanager
    def _saved(self, region: str) -> Iterator[None]:
        """Around a delivery: what it changes in SNS and SQS is stored with the alarm's history."""
        account = self.account_id
        changed: Iterable[Any] = (self, sns_backends[account][region], sqs_backends[account][region])
        with ExitStack() as stack:
            for backend in changed:
                stack.enter_context(self.context.state.background(backend))
            yield


def _of_moto(datum: Any) -> Datum:
    """A datum that a service of moto computes."""
    dimensions = [{"Name": one.name, "Value": one.value} for one in datum.dimensions]
    metric = metric_key(datum.namespace, datum.name, dimensions)
    return Datum(metric, epoch(datum.timestamp), datum.unit, (float(datum.value),), (1.0,))
