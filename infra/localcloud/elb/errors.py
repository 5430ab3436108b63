"""Exceptions of the load balancer."""

from __future__ import annotations


class CaddyError(RuntimeError):
    """Caddy did not start or rejected the configuration. The text is Caddy's."""
