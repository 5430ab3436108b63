"""moto's logs, with saved queries, and with the metrics that lines in the embedded metric format have."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import LogsBackend as MotoLogsBackend

from infra.localcloud.actions import Members
from infra.localcloud.cloudwatch import embedded_metrics
from infra.localcloud.install import Context


class LogsBackend(MotoLogsBackend):
    """The logs of one account and region."""

    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.query_definitions: dict[str, Members] = {}

    def put_log_events(
        self, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
    ) -> tuple[str, dict[str, Any]]:
        """PutLogEvents, and what processes print."""
        result = super().put_log_events(log_group_name, log_stream_name, log_events)
        data = [datum for event in log_events for datum in embedded_metrics.read(event["message"])]
        if data:
            metrics: Any = cloudwatch_backends[self.account_id][self.region_name]
            metrics.add(data)
            self.context.state.soon(metrics)
        return result
