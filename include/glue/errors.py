"""Errors of the Glue jobs."""

from __future__ import annotations

from include.errors import NightjarError


class GlueJobError(NightjarError, ValueError):
    """A job cannot do what its arguments ask for. Glue shows the text as the run's error message."""
