"""CloudWatch: statistics of exactly the metric that was asked for."""

from __future__ import annotations

from moto.cloudwatch.models import cloudwatch_backends

from infra.localcloud.cloudwatch.models import CloudWatchBackend
from infra.localcloud.install import Context, replace_backend


def install(context: Context) -> None:
    """Puts this backend into moto."""
    replace_backend(cloudwatch_backends, CloudWatchBackend, context)
