"""Deferrable sensors over the state table: a day's status, and sources' watermarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from nightjar.instants import utc_now
from nightjar.state.hook import StateHook
from nightjar.state.trigger import DayStatusTrigger, WatermarkTrigger, day_verdict, watermark_verdict


class DayStatusSensor(BaseOperator):
    """Waits until a day is published; its return value is ``{"status": "published", "run": …}``.

    Fails at once, without a retry, when the day was refused (with the reason) or has no final status by the deadline.

    :param table: the state table.
    :param pk, sk: key of the day's item (``include.lake.layout.day_key``). Templated.
    :param deadline_seconds: how long to wait, from the task's start.
    :param poll_seconds: seconds between two looks.
    """

    template_fields: Sequence[str] = ("pk", "sk")

    def __init__(
        self,
        *,
        table: str,
        pk: str,
        sk: str,
        deadline_seconds: float,
        poll_seconds: float = 30,
        clock: Callable[[], datetime] = utc_now,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.pk = pk
        self.sk = sk
        self.deadline_seconds = deadline_seconds
        self.poll_seconds = poll_seconds
        self.clock = clock

    def execute(self, context: Any) -> dict[str, Any]:
        verdict = day_verdict(StateHook(self.table).get(self.pk, self.sk))
        if verdict is not None:
            return self.resume(context, verdict)
        deadline = self.clock() + timedelta(seconds=self.deadline_seconds)
        trigger = DayStatusTrigger(
            table=self.table, pk=self.pk, sk=self.sk, deadline=deadline.isoformat(), poll_seconds=self.poll_seconds
        )
        self.defer(trigger=trigger, method_name="resume")

    def resume(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """Turns the verdict into success or a failure that is not retried."""
        if event["status"] == "refused":
            raise AirflowFailException(f"Day {self.sk} was refused: {event['reason']}")
        if event["status"] != "published":
            raise AirflowFailException(
                f"Day {self.sk} was neither published nor refused within {self.deadline_seconds:g} s "
                f"({event.get('seen', 'nothing seen')}). Look at the process DAG's run of that day, then clear this task."
            )
        return event


class WatermarkSensor(BaseOperator):
    """Waits until every source is complete up to an instant; returns ``{"status": "reached", "watermarks": {…}}``.

    Fails at once, without a retry, when the deadline passes first.

    :param table: the state table.
    :param pk: partition key of the watermark items (``include.lake.layout.watermark_key``). Templated.
    :param sources: their sort keys.
    :param at_least: ISO 8601 instant with zone. Templated.
    :param deadline_seconds: how long to wait, from the task's start.
    :param poll_seconds: seconds between two looks.
    """

    template_fields: Sequence[str] = ("pk", "sources", "at_least")

    def __init__(
        self,
        *,
        table: str,
        pk: str,
        sources: Sequence[str],
        at_least: str,
        deadline_seconds: float,
        poll_seconds: float = 30,
        clock: Callable[[], datetime] = utc_now,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.pk = pk
        self.sources = sources
        self.at_least = at_least
        self.deadline_seconds = deadline_seconds
        self.poll_seconds = poll_seconds
        self.clock = clock

    def execute(self, context: Any) -> dict[str, Any]:
        hook = StateHook(self.table)
        verdict = watermark_verdict({source: hook.get(self.pk, source) for source in self.sources}, self.at_least)
        if verdict is not None:
            return self.resume(context, verdict)
        deadline = self.clock() + timedelta(seconds=self.deadline_seconds)
        trigger = WatermarkTrigger(
            table=self.table,
            pk=self.pk,
            sources=list(self.sources),
            at_least=self.at_least,
            deadline=deadline.isoformat(),
            poll_seconds=self.poll_seconds,
        )
        self.defer(trigger=trigger, method_name="resume")

    def resume(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """Turns the verdict into success or a failure that is not retried."""
        if event["status"] != "reached":
            raise AirflowFailException(
                f"Raw data is not complete up to {self.at_least} within {self.deadline_seconds:g} s "
                f"({event.get('seen', 'nothing seen')}). Run the ingest DAGs up to that instant, then clear this task."
            )
        return event
