"""Exceptions of the load balancer."""

from __future__ import annotations

from infra.localcloud.errors import LocalCloudError


class CaddyError(LocalCloudError):
    """Caddy did not start or rejected the configuration. The text is Caddy's."""
