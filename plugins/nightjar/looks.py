"""How often a trial of a rollout is looked at. Without Airflow's operators, so that a page may say it."""

from __future__ import annotations

SHORTEST_SECONDS = 20.0  # a look is a request for metrics, which change once a minute


def look_seconds(poll_seconds: float) -> float:
    """Returns the seconds between two looks, where remote jobs are asked for their state every ``poll_seconds``."""
    return max(float(poll_seconds), SHORTEST_SECONDS)
