"""CloudWatch Logs: filter patterns select events. ``logs.py`` ships the output of processes there."""

from __future__ import annotations

from typing import Any

import moto.logs.models

from infra.localcloud.cloudwatchlogs.patterns import FilterPattern
from infra.localcloud.install import Context


def install(context: Context) -> None:
    """Makes moto's FilterLogEvents use this filter."""
    models: Any = moto.logs.models
    models.EventMessageFilter = FilterPattern.of
