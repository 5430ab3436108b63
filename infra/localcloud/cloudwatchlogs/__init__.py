"""CloudWatch Logs: filter patterns select events, and lines in the embedded metric format become metrics.

``logs.py`` ships the output of processes there.
"""

from __future__ import annotations

from typing import Any

import moto.logs.models
from moto.logs.models import logs_backends
from moto.logs.responses import LogsResponse

from infra.localcloud.cloudwatchlogs.backend import LogsBackend
from infra.localcloud.cloudwatchlogs.patterns import FilterPattern
from infra.localcloud.cloudwatchlogs.query_definitions import ACTIONS
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Makes moto's FilterLogEvents use this filter, and adds the query definitions."""
    models: Any = moto.logs.models
    models.EventMessageFilter = FilterPattern.of
    replace_backend(logs_backends, LogsBackend, context)
    add_actions(LogsResponse, *ACTIONS)
