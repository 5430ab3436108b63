"""The exceptions of the client. Each text says what to do next."""

from __future__ import annotations

from include.errors import NightjarError


class AirflowUnreachableError(NightjarError):
    """Airflow's API server does not answer, or its answer is not that of Airflow."""


class AirflowRefusedError(NightjarError):
    """Airflow answered with an error."""


class RunFailedError(NightjarError):
    """A DAG run failed. The text names the failed task and has the end of its log."""
